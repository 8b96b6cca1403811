// Package snomed knows SNOMED CT identifiers: how long they are, what their partition says they
// identify, and their Verhoeff check digit. It refuses to know which codes a contract names, and
// it never takes a number: beyond 15 digits a spreadsheet's number is no longer the code.
//
// An identifier reads, from the right: the check digit, then two digits of partition, then the
// item number, with seven digits of namespace before the partition where its first digit is 1.
//
//	75626 1000000 10 0    the claim code 756261000000100
//	item  names-  |  check digit
//	      pace    partition
//
// Partition 00 and 10 identify concepts, 01 and 11 descriptions (a term), 02 and 12
// relationships. Only a concept is a code in a patient's record, so only a concept parses; a
// description identifier, the usual mistake of a copied list, is told apart by its Problem.
package snomed

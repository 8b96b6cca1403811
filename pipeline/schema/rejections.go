package schema

// Rejection says what to do about a rejected row.
type Rejection struct {
	Field string // the field to mend, as ltcles.yaml names it, or empty where it is the whole line
	Fix   string // one sentence
}

// Rejections is the advice for every disposition of the group Rejected.
func Rejections() map[string]Rejection {
	return map[string]Rejection{
		"malformed_row":         {"", "Open the file in a text editor: the line has too few or too many fields, or a stray quote (in a workbook: a merged cell, or one that shows an error); mend it or export the search again."},
		"practice_missing":      {"practice_code", "Add the Organisation Code column to the search, or put the practice code into the file's name."},
		"practice_unknown":      {"practice_code", "Correct the code, or add the practice to reference/practices.csv for the contract year."},
		"patient_missing":       {"nhs_number", "Add the NHS Number or EMIS Number column to the search; a patient needs one of them."},
		"nhs_number_test_range": {"nhs_number", "A test patient: take it out of the record or the search. For synthetic data set allow_test_nhs_numbers in ltcles.yaml."},
		"nhs_number_invalid":    {"nhs_number", "Correct or trace the NHS number in the record, or add the EMIS Number column to the search."},
		"patient_ambiguous":     {"emis_number", "Rows pair this EMIS number with two NHS numbers: correct the NHS number in the record."},
		"date_invalid":          {"activity_date", "Export the search with dates as EMIS writes them (dd-MMM-yyyy); do not save it in a spreadsheet."},
		"code_missing":          {"code", "Add the SNOMED code to the entry, or its column to the search."},
		"code_damaged":          {"code", "A spreadsheet shortened the code: export the search again and do not save it in one."},
		"code_invalid":          {"code", "Use the SNOMED CT concept id; this is no concept id, or a digit of it is wrong."},
		"claim_in_batch_add":    {"code", "An assessment is claimed in the patient's record, never by batch add: remove it from the list."},
		"date_missing":          {"activity_date", "Add the date of the entry in the record, or the Date column to the search."},
		"date_in_future":        {"activity_date", "Correct the date of the entry: it is after the day of the extract."},
	}
}

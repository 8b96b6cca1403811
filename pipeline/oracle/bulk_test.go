package oracle

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ltcles/pipeline/civil"
)

// What SPEC §5.1 says of a bulk extract, on a base and a delta that lies before it in byte order.
func TestBulkRowsSPEC51(t *testing.T) {
	patient := func(id, nhs string, isDeleted bool) bulkLine {
		return bulkLine{cells: map[string]string{}, own: id, organisation: "o", nhs: nhs, nhsState: NHSValid, deleted: isDeleted}
	}
	observation := func(id, who, code string, isDeleted bool) bulkLine {
		return bulkLine{cells: map[string]string{}, own: id, organisation: "o", patient: who, codeID: code, deleted: isDeleted}
	}
	claim := bulkLine{cells: map[string]string{}, own: "1", code: coded{state: CodeInBook, code: claimCode}}
	local := bulkLine{cells: map[string]string{}, own: "2"}
	practice := bulkLine{cells: map[string]string{}, own: "o", ods: "Z00001"}
	malformed := observation("b9", "a1", "1", false)
	malformed.broken = true

	in := &bulkInbox{known: map[string]bool{"Z00001": true}}
	add := func(folder, stamp, table string, lines ...bulkLine) {
		in.files = append(in.files, &bulkFile{
			path: folder + table + stamp, folder: folder, table: table, stamp: stamp, agreement: "x", day: civil.Date(stamp[0]), columns: []string{table}, lines: lines, status: FileRead,
		})
	}
	add("z/", "1", organisationTable, practice)
	add("z/", "1", codeTable, claim, local)
	add("z/", "1", patientTable, patient("a1", "one", false), patient("a2", "two", false))
	add("z/", "1", observationTable,
		observation("b1", "a1", "1", false), // told of again
		observation("b2", "a2", "1", false), // its patient is deleted later
		observation("b3", "a3", "1", false), // its patient is told of later only
		observation("b4", "", "2", false),   // nobody's, of EMIS's own code
		observation("b7", "a4", "1", false), // and its patient as deleted
		bulkLine{},
		observation("b5", "a1", "1", true),
		malformed)
	add("a/", "2", organisationTable)
	add("a/", "2", codeTable)
	add("a/", "2", patientTable, patient("a1", "another", false), patient("a2", "two", true), patient("a3", "three", false), patient("a4", "four", true))
	add("a/", "2", observationTable, observation("b1", "a1", "1", false), observation("b6", "a3", "3", false))
	add("a/", "3", patientTable, patient("a1", "none", false)) // without look-ups
	in.settle()

	var got []string
	for n, f := range in.files {
		if f.status != FileRead {
			got = append(got, f.path+" "+f.status)
			continue
		}
		for _, row := range in.rows(f, n) {
			words := []string{f.path, fmt.Sprint(row.Line), row.NHS, row.Code}
			for word, is := range map[string]bool{"deleted": row.Deleted, "malformed": row.Malformed} {
				if is {
					words = append(words, word)
				}
			}
			if f.table == observationTable && !row.Malformed {
				words = append(words, map[CodeState]string{CodeInBook: "in book", CodeNotInBook: "not in book", CodeInvalid: "invalid"}[row.CodeState])
			}
			if f.table == patientTable || f.table == observationTable {
				got = append(got, strings.Join(strings.Fields(strings.Join(words, " ")), " "))
			}
		}
	}
	want := []string{
		"z/Admin_Patient1 2 one deleted",
		"z/Admin_Patient1 3 two deleted",
		"z/CareRecord_Observation1 2 another " + claimCode + " deleted in book",
		"z/CareRecord_Observation1 3 two " + claimCode + " deleted in book",
		"z/CareRecord_Observation1 4 " + claimCode + " in book",
		"z/CareRecord_Observation1 5 not in book",
		"z/CareRecord_Observation1 6 " + claimCode + " deleted in book",
		"z/CareRecord_Observation1 8 another " + claimCode + " deleted in book",
		"z/CareRecord_Observation1 9 malformed",
		"a/Admin_Patient2 2 another",
		"a/Admin_Patient2 3 two deleted",
		"a/Admin_Patient2 4 three",
		"a/Admin_Patient2 5 four deleted",
		"a/CareRecord_Observation2 2 another " + claimCode + " in book",
		"a/CareRecord_Observation2 3 three invalid",
		"a/Admin_Patient3 refused",
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if newest := in.newest(in.files[2]); newest != in.files[7].day {
		t.Errorf("renewed on %v", newest)
	}
}

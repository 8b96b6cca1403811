package emis

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	agreementID   = "B3FA020B-0000-4000-8000-00000000000A"
	patientHeader = "PatientGuid,OrganisationGuid,NhsNumber,PatientNumber,PatientTypeDescription,DummyType,DateOfRegistration,DateofDeactivation,DateOfDeath,Deleted\n"
	observeHeader = "ObservationGuid,PatientGuid,OrganisationGuid,EffectiveDate,EnteredDate,CodeId,Deleted\n"
	codeHeader    = "CodeId,SnomedCTConceptId\n"
	orgHeader     = "OrganisationGuid,ODSCode\n"
	bulkCodes     = codeHeader + "1," + claimCode + "\n2,417206009\n3,\n4,7.56E+14\n5,417206008\n6,73211009\n"
	bulkOrgs      = orgHeader + "{o1},Z00001\n{O2}, z00002 \n{o3},\n{o4},Z99999\n"
)

// delivered names the four tables of one delivery; "" leaves a file out.
func delivered(folder, stamp, patients, observations, codes, orgs string) map[string]string {
	files := map[string]string{}
	for table, text := range map[string]string{
		"Admin_Patient": patients, "CareRecord_Observation": observations, "Coding_ClinicalCode": codes, "Admin_Organisation": orgs,
	} {
		if text != "" {
			files[fmt.Sprintf("%s/1-2_%s_%s_%s.csv", folder, table, stamp, agreementID)] = text
		}
	}
	return files
}

type bulkInbox struct {
	reader *Reader
	files  []*File
}

func inspectBulk(t testing.TB, deliveries ...map[string]string) bulkInbox {
	t.Helper()
	inbox := fstest.MapFS{}
	for _, files := range deliveries {
		for name, text := range files {
			inbox[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	made := bulkInbox{reader: newReader(t, "unused", "")}
	made.reader.Inbox = inbox
	in := &Inspector{Inbox: inbox, Practices: knownPractices(), Book: NewBook(allCodes())}
	for _, name := range slices.Sorted(maps.Keys(inbox)) {
		f, err := in.Inspect(name)
		if err != nil {
			t.Fatal(err)
		}
		made.files = append(made.files, f)
	}
	return made
}

// rows reads every file that has rows, and says what each row says.
func (b bulkInbox) rows(t testing.TB) (rows []string) {
	t.Helper()
	for _, agreement := range Agreements(b.files) {
		extract, err := b.reader.OpenExtract(agreement)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range agreement.Files() {
			tally, err := extract.Read(f, func(row *Row) error {
				said := say(row)
				if row.Deleted {
					said = "deleted " + said
				}
				if row.Dummy {
					said += " dummy"
				}
				rows = append(rows, said)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if sum := tally.ByPractice[""] + tally.ByPractice["Z00001"] + tally.ByPractice["Z00002"]; sum != tally.Rows {
				t.Errorf("%s: %d rows, %d by practice", f.Name, tally.Rows, sum)
			}
		}
	}
	return rows
}

func TestBulkNames(t *testing.T) {
	const id = "_20201118063100_" + agreementID
	for name, want := range map[string]string{
		"373783-374080_Coding_ClinicalCode" + id + ".csv":             tableCode,
		"bulk_95047_Admin_Patient" + id + ".csv":                      tablePatient,
		"a/b/95047_ADMIN_ORGANISATION" + strings.ToLower(id) + ".CSV": tableOrganisation,
		"x.zip!bulk_95047_careRecord_observation" + id + ".csv":       tableObservation,
		"Admin_Patient" + id + ".csv":                                 tablePatient,
		"1_Admin_Patient_20201118063100_{" + agreementID + "}.csv":    tablePatient,
		"1_CareRecord_Consultation" + id + ".csv":                     "carerecord_consultation",
		"1_Admin_Patients" + id + ".csv":                              "",
		"1_Admin_Patient" + id + " (1).csv":                           "",
		"1_Admin_Patient_2020111806310_" + agreementID + ".csv":       "",
		"1_Admin_Patient" + id[:len(id)-1] + ".csv":                   "",
		"1_Admin_Patient" + id + ".csv.gpg":                           "",
		"1_Admin_Patient" + id + "/claims.csv":                        "",
		"Admin_Patient.csv":                                           "",
	} {
		got := ""
		if b := bulkOf(name); b != nil {
			got = b.table
			if b.stamp != "20201118063100" || b.agreement != strings.ToLower(agreementID) {
				t.Errorf("%s: stamp %s, agreement %s", name, b.stamp, b.agreement)
			}
		}
		if got != want {
			t.Errorf("%s is of table %q, want %q", name, got, want)
		}
	}
}

func TestBulkRefusals(t *testing.T) {
	const stamp = "20260701043213"
	one := func(table, stamp, text string) *File {
		return inspect(t, fmt.Sprintf("Z00001/1_%s_%s_%s.csv", table, stamp, agreementID), text)
	}
	for name, test := range map[string]struct {
		file *File
		says string
	}{
		"missing columns": {one("Admin_Patient", stamp, "PatientGuid,OrganisationGuid,NhsNumber\n"), "without PatientNumber and without PatientTypeDescription"},
		"no header":       {one("CareRecord_Observation", stamp, "{b},{a},{o},2026-05-01,2026-05-01,1,false\n"), "(seen: none)"},
		"a header twice":  {one("Coding_ClinicalCode", stamp, "CodeId,codeid,SnomedCTConceptId\n"), "the header of CodeId twice"},
		"a stray quote":   {one("Coding_ClinicalCode", stamp, "CodeId,\"SnomedCTConceptId\n"), "a stray quote in the header"},
		"no date":         {one("Admin_Organisation", "20261301043213", orgHeader), "a stamp in the file's name that is no date"},
		"empty":           {one("Admin_Organisation", stamp, "\r\n,\r\n"), "an empty file"},
		"another name":    {inspect(t, "Z00001/Admin_Patient.csv", patientHeader), "a table of a bulk extract under another name"},
		"a browser's copy": {
			inspect(t, fmt.Sprintf("Z00001/1_Admin_Patient_%s_%s (1).csv", stamp, agreementID), patientHeader), "a table of a bulk extract under another name",
		},
	} {
		if test.file.Status != Refused || !strings.Contains(test.file.Message, test.says) {
			t.Errorf("%s: %s, %q, want it to say %q", name, test.file.Status, test.file.Message, test.says)
		}
	}
}

func TestBulkRows(t *testing.T) {
	got := inspectBulk(t, delivered("x", "20260701043213",
		patientHeader+
			"{A1},{o1},9990000018,1,  Regular,false,2010-01-01,,,false\n"+
			"a1,{O2},9990000026,2,Left,TRUE,2010-01-01,2026-05-01,2026-05-02,false\n"+
			"{a2},{o1},9990000010,3,,0,,x,,0\n"+
			",{o1},9990000034,,,,,,,\n"+
			"{a3},{o1},,,,,,,,perhaps\n"+
			"{a4},{o1},,,,,,,,true\n",
		observeHeader+
			"{b1},{a1},{o1},2026-05-01,2026-05-02,1,false\n"+ // one organisation's patient
			"{b1},{a1},{o2},2026-05-01,,2,false\n"+ // the other's
			"{b2},{a2},{o1},,2026-05-02,3,false\n"+
			"{b3},{a9},{o1},2026-05-01,,4,false\n"+ // nobody's
			"{b4},{a1},{o9},2026-05-01,,5,false\n"+ // no known organisation, so nobody's
			"{b5},{a1},{o3},2026-05-01,,6,false\n"+ // without an ODS code
			"{b6},{a1},{o4},2026-05-01,,7,false\n"+ // not of practices.csv
			"{b7},{a1},{o1},,2026-05-02,,false\n"+
			"{b8},{a1},{o1},2026-05-01,2026-05-02,1\n"+
			"{b9},{a4},{o1},2026-05-01,,1,false\n"+
			"{b10},{a1},{o1},2026-05-01,,1,true\n",
		bulkCodes, bulkOrgs)).rows(t)
	want := []string{
		"2.0 Z00001 9990000018/1 regular 2010-01-01",
		"3.0 Z00002 9990000026/2 left 2010-01-01 2026-05-01 2026-05-02 dummy",
		"4.0 Z00001 invalid/3 invalid deducted_date",
		"5.0 Z00001 9990000034",
		"6 malformed blank",
		"deleted 7.0 Z00001 blank",
		"2.1 Z00001 9990000018/1 756261000000100 2026-05-01 recorded 2026-05-02",
		"3.1 Z00002 9990000026/2 417206009 2026-05-01",
		"4.1 Z00001 invalid/3 other blank recorded 2026-05-02",
		"5.1 Z00001 blank damaged 2026-05-01",
		"6.1 unknown blank invalid 2026-05-01",
		"7.1 blank blank other 2026-05-01",
		"8.1 unknown blank invalid 2026-05-01",
		"9.0 Z00001 9990000018/1",
		"10 malformed blank",
		"deleted 11.1 Z00001 blank 756261000000100 2026-05-01",
		"deleted 12.1 Z00001 9990000018/1 756261000000100 2026-05-01",
	}
	compareSaid(t, got, want)
}

func compareSaid(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What a later stamp says replaces what an earlier one said, wherever the files lie; within a file
// the later line does.
func TestBulkVersions(t *testing.T) {
	const base, delta = "20260601000000", "20260601000001"
	files := []map[string]string{
		delivered("z", base,
			patientHeader+"{a1},{o1},9990000018,1,,,,,,\n{a2},{o1},9990000026,2,,,,,,\n",
			observeHeader+"{b1},{a1},{o1},2026-05-01,,1,\n{b2},{a1},{o1},2026-05-01,,2,\n{b2},{a1},{o1},2026-05-02,,2,\n{b3},{a2},{o1},2026-05-01,,1,\n{b4},{a3},{o1},2026-05-01,,1,\n,{a1},{o1},2026-05-01,,1,\n,{a1},{o1},2026-05-01,,1,\n{b6},{a4},{o1},2026-05-01,,1,\n",
			bulkCodes, bulkOrgs),
		delivered("a", delta,
			patientHeader+"{a1},{o1},9990000042,1,,,,,,\n{a2},{o1},,,,,,,,true\n{a3},{o1},9990000034,3,,,,,,\n{a4},{o1},9990000050,4,,,,,,true\n",
			observeHeader+"{B1},{A1},{O1},2026-05-09,,2,\n{b5},{a3},{o1},2026-05-01,,9,\n",
			codeHeader+"9,268511007\n2,268511007\n", orgHeader),
	}
	compareSaid(t, inspectBulk(t, files...).rows(t), []string{
		"deleted 2.0 Z00001 9990000018/1",
		"deleted 3.0 Z00001 9990000026/2",
		"deleted 2.1 Z00001 9990000042/1 756261000000100 2026-05-01",
		"deleted 3.1 Z00001 9990000042/1 417206009 2026-05-01",
		"4.1 Z00001 9990000042/1 417206009 2026-05-02",
		"deleted 5.1 Z00001 blank 756261000000100 2026-05-01",
		"6.1 Z00001 blank 756261000000100 2026-05-01",
		"7.1 Z00001 9990000042/1 756261000000100 2026-05-01",
		"8.1 Z00001 9990000042/1 756261000000100 2026-05-01",
		"deleted 9.1 Z00001 blank 756261000000100 2026-05-01",
		"2.0 Z00001 9990000042/1",
		"deleted 3.0 Z00001 blank",
		"4.0 Z00001 9990000034/3",
		"deleted 5.0 Z00001 9990000050/4",
		"2.1 Z00001 9990000042/1 268511007 2026-05-09",
		"3.1 Z00001 9990000034/3 268511007 2026-05-01",
	})
}

func TestBulkLookupsServeTheirDelivery(t *testing.T) {
	const stamp = "20260701043213"
	refusedOf := func(deliveries ...map[string]string) (names []string) {
		b := inspectBulk(t, deliveries...)
		Agreements(b.files)
		for _, f := range b.files {
			if f.Status == Refused {
				names = append(names, strings.Split(f.Name, "_")[0][:1]+" "+bulkTables[f.bulk.table].name+": "+strings.Split(f.Message, ";")[0])
			}
		}
		return names
	}
	compareSaid(t, refusedOf(delivered("a", stamp, patientHeader, observeHeader, bulkCodes, bulkOrgs)), nil)
	compareSaid(t, refusedOf(delivered("a", stamp, patientHeader, observeHeader, "", bulkOrgs), delivered("b", stamp, "", "", bulkCodes, "")), []string{
		"a CareRecord_Observation: found no readable Coding_ClinicalCode of its folder, stamp and agreement",
	})
	compareSaid(t, refusedOf(delivered("a", "20260601043213", "", "", bulkCodes, bulkOrgs), delivered("a", stamp, patientHeader, observeHeader, "x", "")), []string{
		"a Admin_Patient: found no readable Admin_Organisation of its folder, stamp and agreement",
		"a CareRecord_Observation: found no readable Admin_Organisation and no readable Coding_ClinicalCode of its folder, stamp and agreement",
		"a Coding_ClinicalCode: line 1: found a header of Coding_ClinicalCode without CodeId and without SnomedCTConceptId",
	})
}

// A file that cannot be read to its end is named, so that the others can be read without it.
func TestBulkUnreadable(t *testing.T) {
	long := strings.Repeat("x", maxLine+1) + "\n"
	for table, files := range map[string]map[string]string{
		tablePatient:      delivered("a", "20260701043213", patientHeader+long, observeHeader, bulkCodes, bulkOrgs),
		tableObservation:  delivered("a", "20260701043213", patientHeader, observeHeader+long, bulkCodes, bulkOrgs),
		tableCode:         delivered("a", "20260701043213", patientHeader, observeHeader, bulkCodes+long, bulkOrgs),
		tableOrganisation: delivered("a", "20260701043213", patientHeader, observeHeader, bulkCodes, bulkOrgs+long),
	} {
		b := inspectBulk(t, files)
		agreement := Agreements(b.files)[0]
		extract, err := b.reader.OpenExtract(agreement)
		for _, f := range agreement.Files() {
			if err == nil {
				_, err = extract.Read(f, func(*Row) error { return nil })
			}
		}
		var refusal *Refusal
		if !errors.As(err, &refusal) || bulkOf(refusal.File).table != table {
			t.Errorf("%s: %v", table, err)
		}
	}
}

func TestBulkUnreadLookupLines(t *testing.T) {
	b := inspectBulk(t, delivered("a", "20260701043213", patientHeader, observeHeader, bulkCodes+"7\n8,\"9\n", bulkOrgs))
	agreement := Agreements(b.files)[0]
	extract, err := b.reader.OpenExtract(agreement)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range agreement.Files() {
		if _, err := extract.Read(f, func(*Row) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for f, lines := range extract.Unread() {
		if f.bulk.table != tableCode || lines != 2 {
			t.Errorf("%d lines of %s", lines, f.Name)
		}
	}
	if len(extract.Unread()) != 1 {
		t.Errorf("%d files with lines that cannot be read, want 1", len(extract.Unread()))
	}
}

// Whatever can change a file's rows changes what it is staged under.
func TestBulkDeterminants(t *testing.T) {
	const stamp, later = "20260701043213", "20260702043213"
	observations := observeHeader + "{b1},{a1},{o1},2026-05-01,,1,\n"
	of := func(deliveries ...map[string]string) string {
		b := inspectBulk(t, deliveries...)
		for _, agreement := range Agreements(b.files) {
			for _, f := range agreement.Files() {
				if f.bulk.table == tableObservation {
					return strings.Join(agreement.Determinants(f), "|")
				}
			}
		}
		t.Fatal("no observations")
		return ""
	}
	seen := map[string]int{}
	for i, deliveries := range [][]map[string]string{
		{delivered("a", stamp, patientHeader, observations, bulkCodes, bulkOrgs)},
		{delivered("a", later, patientHeader, observations, bulkCodes, bulkOrgs)},
		{delivered("a", stamp, patientHeader+"{a1},{o1},,,,,,,,\n", observations, bulkCodes, bulkOrgs)},
		{delivered("a", stamp, patientHeader, observations, codeHeader, bulkOrgs)},
		{delivered("a", stamp, patientHeader, observations, bulkCodes, orgHeader)},
		{delivered("a", stamp, patientHeader, observations, bulkCodes, bulkOrgs), delivered("b", stamp, "", observations+"\n", bulkCodes, bulkOrgs)},
		{delivered("a", stamp, patientHeader, observations, bulkCodes, bulkOrgs), delivered("a", later, "", observations+"\n", bulkCodes, bulkOrgs)},
	} {
		parts := of(deliveries...)
		if other, twice := seen[parts]; twice {
			t.Errorf("%d and %d are staged under one key", i, other)
		}
		seen[parts] = i
	}
}

// An agreement's id is no patient's number, whatever digits it has.
func TestBulkNameIsNoNHSNumber(t *testing.T) {
	if masked, holds := MaskNHSNumbers("1_Admin_Patient_20260701043213_B3FA020B-0000-4000-8000-a9990000018b.csv"); holds {
		t.Errorf("masked as %s", masked)
	}
	if _, holds := MaskNHSNumbers("9990000018_Admin_Patient_20260701043213_" + agreementID + ".csv"); !holds {
		t.Error("a number before the table's name is not seen")
	}
}

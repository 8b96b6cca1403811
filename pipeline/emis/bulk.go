package emis

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"ltcles/pipeline/civil"
)

// The tables of the bulk extract that are read.
const (
	tablePatient      = "admin_patient"
	tableObservation  = "carerecord_observation"
	tableCode         = "coding_clinicalcode"
	tableOrganisation = "admin_organisation"
)

// bulkTables lists, for each table that is read, the columns that are: every
// version from v5.4 to v8 has them, in one order or another.
var bulkTables = map[string]struct {
	name    string
	kind    Kind
	columns []string
}{
	tablePatient: {"Admin_Patient", BulkExtract, []string{
		"PatientGuid", "OrganisationGuid", "NhsNumber", "PatientNumber", "PatientTypeDescription", "DummyType",
		"DateOfRegistration", "DateofDeactivation", "DateOfDeath", "Deleted",
	}},
	tableObservation: {"CareRecord_Observation", BulkExtract, []string{
		"ObservationGuid", "PatientGuid", "OrganisationGuid", "EffectiveDate", "EnteredDate", "CodeId", "Deleted",
	}},
	tableCode:         {"Coding_ClinicalCode", BulkLookup, []string{"CodeId", "SnomedCTConceptId"}},
	tableOrganisation: {"Admin_Organisation", BulkLookup, []string{"OrganisationGuid", "ODSCode"}},
}

// bulkStatus says which columns are evidence of registration.
var bulkStatus = map[string]Field{
	"PatientTypeDescription": PatientType, "DateOfRegistration": RegisteredDate,
	"DateofDeactivation": DeductedDate, "DateOfDeath": DeathDate,
}

// otherBulkTables come with an extract and are not needed.
var otherBulkTables = []string{
	"admin_location", "admin_organisationlocation", "admin_patienthistory", "admin_userinrole",
	"agreements_sharingorganisation", "appointment_session", "appointment_sessionuser", "appointment_slot",
	"audit_patientaudit", "audit_registrationaudit", "carerecord_consultation", "carerecord_diary",
	"carerecord_observationreferral", "carerecord_problem", "coding_drugcode", "prescribing_drugrecord", "prescribing_issuerecord",
}

// bulkFile is what the name and the header of a bulk extract's file say.
type bulkFile struct {
	table     string
	folder    string // the folder or the archive that the file lies in
	stamp     string // yyyyMMddHHmmss
	agreement string // lower case
	at        map[string]int
}

// bulkName matches {procId}_{Schema}_{Table}_{stamp}_{agreement}.csv, with or
// without the word bulk before it.
var bulkName = regexp.MustCompile(`(?i)^(?:.*[^a-z])?([a-z]+_[a-z]+)_([0-9]{14})_\{?(` + guidPattern + `)\}?\.csv$`)

const guidPattern = `[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`

// bulkOf tells by its name whether a file is of a bulk extract, and of what
// table; nil where it is not.
func bulkOf(name string) *bulkFile {
	found := bulkName.FindStringSubmatch(path.Base(name))
	if found == nil {
		return nil
	}
	b := &bulkFile{table: strings.ToLower(found[1]), stamp: found[2], agreement: strings.ToLower(found[3])}
	b.folder = name[:strings.LastIndexAny(name, "/!")+1]
	if _, known := bulkTables[b.table]; !known && !slices.Contains(otherBulkTables, b.table) {
		return nil
	}
	return b
}

// isNeeded tells whether the table is one of those that are read.
func (b *bulkFile) isNeeded() bool {
	_, needed := bulkTables[b.table]
	return needed
}

// runDate is the day of the stamp.
func (b *bulkFile) runDate() (civil.Date, bool) {
	d, state := readDate([]byte(b.stamp[:4]+"-"+b.stamp[4:6]+"-"+b.stamp[6:8]), civil.None)
	return d, state == Valid
}

// decideBulk settles the columns of a bulk extract's file: by their names, in any
// order, whatever else there is.
func (in *Inspector) decideBulk(f *File, head []byte) error {
	b := f.bulk
	table := bulkTables[b.table]
	f.Kind, f.Delimiter = table.kind, ','
	run, ok := b.runDate()
	if !ok {
		return refuse(0, "a stamp in the file's name that is no date", "yyyyMMddHHmmss before the agreement's id", "give the file the name back that it came with")
	}
	f.ExtractDate = run
	records := headRecords(head, ',')
	rec, err := records.next()
	for err == nil && rec != nil && !rec.broken && rec.blank() {
		rec, err = records.next()
	}
	if err != nil {
		return err
	}
	if rec == nil {
		return refuse(0, "an empty file", "a header, with or without lines below it", "take the file from the extract again")
	}
	names := cellStrings(rec.cells)
	if rec.broken || slices.ContainsFunc(names, func(name string) bool { return strings.ContainsRune(name, '"') }) {
		return refuse(rec.line, "a stray quote in the header", "header cells without quotes in them", "take the file from the extract again")
	}
	f.HeaderLine, f.headerEnd = rec.line, rec.line
	f.layout = &layout{headerLine: rec.line, patient: map[Field]int{}}
	b.at = map[string]int{}
	wanted := map[string]string{}
	for _, column := range table.columns {
		wanted[plain(column)] = column
	}
	for i, name := range names {
		if strings.TrimSpace(name) != "" {
			f.layout.width = i + 1
		}
		column, isWanted := wanted[plain(name)]
		if _, twice := b.at[column]; isWanted && twice {
			return refuse(rec.line, "the header of "+column+" twice", "each column of "+table.name+" once", "take the file from the extract again")
		}
		if isWanted {
			b.at[column] = i
			if field, isStatus := bulkStatus[column]; isStatus {
				f.layout.patient[field] = i
			}
		}
	}
	var missing, seen []string
	for _, column := range table.columns {
		if _, have := b.at[column]; have {
			seen = append(seen, column)
			continue
		}
		missing = append(missing, column)
	}
	if len(missing) > 0 {
		return refuse(rec.line, fmt.Sprintf("a header of %s without %s", table.name, strings.Join(missing, " and without ")),
			fmt.Sprintf("the columns that are read (seen: %s)", cmp.Or(strings.Join(seen, ", "), "none")), "take the file from the extract again, whole and with its first line")
	}
	return nil
}

// isBulkHeader recognises the header of a bulk extract under a name that does not
// say so; without the stamp and the agreement the file cannot be read as one, and
// must not be as anything else.
func isBulkHeader(columnRow []string) bool {
	guids := 0
	for _, name := range columnRow {
		switch plain(name) {
		case "patientguid", "organisationguid":
			guids++
		}
	}
	return guids == 2
}

func refuseBulkName(line int) *Refusal {
	return refuse(line, "a table of a bulk extract under another name", "procId_Schema_Table_yyyyMMddHHmmss_agreement.csv", "give the file the name back that it came with")
}

// An Agreement is the files of one sharing agreement's bulk extracts that are
// read: what a later stamp says replaces what an earlier one said.
type Agreement struct {
	deliveries []delivery
}

// delivery is the files that share a folder, a stamp and an agreement.
type delivery struct {
	folder, stamp string
	files         map[string][]*File // by table, in order of their names
}

// Agreements groups the bulk files that are read, ordered by the agreements' ids.
// A file whose delivery has no look-up files to read it with is refused here.
func Agreements(files []*File) []*Agreement {
	type id struct{ agreement, stamp, folder string }
	deliveries := map[id]*delivery{}
	byAgreement := map[string]*Agreement{}
	for _, f := range files {
		if f.bulk == nil || f.Status != Read {
			continue
		}
		at := id{f.bulk.agreement, f.bulk.stamp, f.bulk.folder}
		if deliveries[at] == nil {
			deliveries[at] = &delivery{folder: at.folder, stamp: at.stamp, files: map[string][]*File{}}
		}
		d := deliveries[at]
		d.files[f.bulk.table] = append(d.files[f.bulk.table], f)
	}
	for at, d := range deliveries {
		d.refuseWithoutLookups()
		if byAgreement[at.agreement] == nil {
			byAgreement[at.agreement] = &Agreement{}
		}
		a := byAgreement[at.agreement]
		a.deliveries = append(a.deliveries, *d)
	}
	var names []string
	for name, a := range byAgreement {
		names = append(names, name)
		slices.SortFunc(a.deliveries, func(x, y delivery) int {
			return cmp.Or(cmp.Compare(x.stamp, y.stamp), cmp.Compare(x.folder, y.folder))
		})
		for _, d := range a.deliveries {
			for _, files := range d.files {
				slices.SortFunc(files, func(x, y *File) int { return cmp.Compare(x.Name, y.Name) })
			}
		}
	}
	slices.Sort(names)
	agreements := make([]*Agreement, len(names))
	for i, name := range names {
		agreements[i] = byAgreement[name]
	}
	return agreements
}

// refuseWithoutLookups refuses what cannot be read without its look-up files: the
// look-ups of a delivery serve its own files (SPEC §5.1).
func (d *delivery) refuseWithoutLookups() {
	needs := map[string][]string{tablePatient: {tableOrganisation}, tableObservation: {tableOrganisation, tableCode}}
	for table, lookups := range needs {
		var missing []string
		for _, lookup := range lookups {
			if len(d.files[lookup]) == 0 {
				missing = append(missing, bulkTables[lookup].name)
			}
		}
		if len(missing) == 0 {
			continue
		}
		for _, f := range d.files[table] {
			f.Refuse(refuse(0, "no readable "+strings.Join(missing, " and no readable ")+" of its folder, stamp and agreement",
				"the extract's look-up files beside it", "put the whole extract into one folder"))
		}
		delete(d.files, table)
	}
}

// Files lists the files that hold rows, in the order in which they are applied.
func (a *Agreement) Files() []*File { return a.list(tablePatient, tableObservation) }

// All lists every file of the agreement, in the order in which they are applied.
func (a *Agreement) All() []*File {
	return a.list(tableOrganisation, tableCode, tablePatient, tableObservation)
}

func (a *Agreement) list(tables ...string) (files []*File) {
	for _, d := range a.deliveries {
		for _, table := range tables {
			files = append(files, d.files[table]...)
		}
	}
	return files
}

// Determinants are what settles the rows of one of the agreement's files besides
// its own bytes: the other files, and its place among them.
func (a *Agreement) Determinants(f *File) []string {
	var parts []string
	for i, d := range a.deliveries {
		for _, table := range []string{tableOrganisation, tableCode, tablePatient, tableObservation} {
			for _, other := range d.files[table] {
				mark := ""
				if other == f {
					mark = "this"
				}
				parts = append(parts, fmt.Sprint(i), table, d.stamp, other.SHA256, other.Practice, mark)
			}
		}
	}
	return parts
}

// BulkIdentity is what tells a bulk extract's file from another of the same bytes:
// its agreement and stamp; "" for other files.
func (f *File) BulkIdentity() string {
	if f.bulk == nil {
		return ""
	}
	return f.bulk.agreement + " " + f.bulk.stamp
}

package emis

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"ltcles/pipeline/civil"
	"ltcles/snomed"
)

// An Extract is one agreement's bulk extract while it is read: who its patients
// are, and which lines a later line has replaced. It is held for one agreement at
// a time, and its files are read in the order of [Agreement.Files].
//
// GUIDs are not unique beyond their organisation, and are kept as hashes with it.
type Extract struct {
	reader     *Reader
	agreement  *Agreement
	patients   map[guidKey]*bulkPatient
	superseded map[*File][]int // lines, ascending
	unread     map[*File]int   // lines of look-ups that cannot be used

	// The look-ups as they are at the delivery being read; a later one adds to the
	// earlier ones, because deltas hold what is new.
	reached       int
	codes         map[string]uint32 // code id to an index of readCodes
	readCodes     []readCode
	codeIndex     map[readCode]uint32
	organisations map[guidKey]string // to its ODS code
}

type guidKey [16]byte

// bulkPatient is a patient as the newest line about him says.
type bulkPatient struct {
	since     string // the stamp of the first line about him
	nhs       [10]byte
	nhsState  State
	emis      string
	isDeleted bool
	lastFile  *File
	lastLine  int
}

// OpenExtract goes through an agreement's patients and observations once. Where a
// file cannot be read, here or later, the error is a *Refusal that names it, and
// nothing that was read of the agreement is to be used.
func (r *Reader) OpenExtract(a *Agreement) (*Extract, error) {
	e := &Extract{
		reader: r, agreement: a, patients: map[guidKey]*bulkPatient{}, superseded: map[*File][]int{}, unread: map[*File]int{},
		codes: map[string]uint32{}, codeIndex: map[readCode]uint32{}, organisations: map[guidKey]string{},
	}
	var versions []version
	for n, f := range a.All() {
		var err error
		switch f.bulk.table {
		case tablePatient:
			err = e.eachLine(f, func(l *bulkLine) { e.addPatient(f, l) })
		case tableObservation:
			err = e.eachLine(f, func(l *bulkLine) {
				if key, ok := l.key("ObservationGuid"); ok {
					versions = append(versions, version{
						hi: binary.BigEndian.Uint64(key[:8]), lo: binary.BigEndian.Uint64(key[8:]), file: uint32(n), line: uint32(l.line),
					})
				}
			})
		}
		if err != nil {
			return nil, err
		}
	}
	e.supersede(a.All(), versions)
	for _, lines := range e.superseded {
		slices.Sort(lines)
	}
	return e, nil
}

// version is one line about one observation.
type version struct {
	hi, lo     uint64
	file, line uint32
}

// supersede marks every line about an observation but the last.
func (e *Extract) supersede(files []*File, versions []version) {
	slices.SortFunc(versions, func(a, b version) int {
		return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo), cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
	for i := 1; i < len(versions); i++ {
		if earlier, later := versions[i-1], versions[i]; earlier.hi == later.hi && earlier.lo == later.lo {
			f := files[earlier.file]
			e.superseded[f] = append(e.superseded[f], int(earlier.line))
		}
	}
}

// bulkLine is one record of a bulk extract's file.
type bulkLine struct {
	*fileReader
	line      int
	isBroken  bool // malformed: nothing of it is to be used
	isDeleted bool
	isDummy   bool
	scratch   []byte
}

// at is the text of a column of the file's table.
func (l *bulkLine) at(column string) []byte { return l.cells[l.file.bulk.at[column]] }

// key is the hash of a GUID with its organisation's, false where the GUID is blank.
func (l *bulkLine) key(column string) (key guidKey, ok bool) {
	l.scratch = appendGUID(l.scratch[:0], l.at(column))
	if len(l.scratch) == 0 {
		return key, false
	}
	if column != "OrganisationGuid" {
		l.scratch = appendGUID(append(l.scratch, 0), l.at("OrganisationGuid"))
	}
	sum := sha256.Sum256(l.scratch)
	return guidKey(sum[:len(key)]), true
}

// appendGUID adds a GUID in lower case and without braces.
func appendGUID(dst, cell []byte) []byte {
	return append(dst, bytes.ToLower(bytes.Trim(trim(cell), "{}"))...)
}

// eachLine goes through the records below a file's header, blank ones left out.
func (e *Extract) eachLine(f *File, visit func(*bulkLine)) error {
	read, closed, err := e.reader.begin(f)
	if err != nil {
		return err
	}
	defer closed()
	return e.walk(read, func(l *bulkLine) error { visit(l); return nil }, false)
}

// walk hands out the records of an open file; those that cannot be used only where
// they are asked for.
func (e *Extract) walk(read *fileReader, visit func(*bulkLine) error, withBroken bool) error {
	l := &bulkLine{fileReader: read}
	_, hasDeleted := read.file.bulk.at["Deleted"]
	_, hasDummy := read.file.bulk.at["DummyType"]
	for {
		rec, err := read.records.next()
		if err != nil {
			return read.refused(err)
		}
		if rec == nil {
			return nil
		}
		if !rec.broken && rec.blank() {
			continue
		}
		l.line, l.isDeleted, l.isDummy = rec.line, false, false
		l.isBroken = rec.broken || !read.isWidthRight(rec)
		read.cells = rec.cells
		if hasDeleted && !l.isBroken {
			var ok bool
			l.isDeleted, ok = truth(l.at("Deleted"))
			l.isBroken = !ok
		}
		if hasDummy && !l.isBroken {
			var ok bool
			l.isDummy, ok = truth(l.at("DummyType"))
			l.isBroken = !ok
		}
		if l.isBroken && !withBroken {
			if read.file.Kind == BulkLookup {
				e.unread[read.file]++
			}
			continue
		}
		if err := visit(l); err != nil {
			return err
		}
	}
}

// truth reads a true or false; a cell that is neither shows that its line is not
// what its header says.
func truth(cell []byte) (is, ok bool) {
	switch string(bytes.ToLower(trim(cell))) {
	case "true", "1", "t", "y", "yes":
		return true, true
	case "", "false", "0", "f", "n", "no":
		return false, true
	}
	return false, false
}

func (e *Extract) addPatient(f *File, l *bulkLine) {
	key, ok := l.key("PatientGuid")
	if !ok {
		return
	}
	p := e.patients[key]
	if p == nil {
		p = &bulkPatient{since: f.bulk.stamp}
		e.patients[key] = p
	} else {
		e.superseded[p.lastFile] = append(e.superseded[p.lastFile], p.lastLine)
	}
	p.lastFile, p.lastLine, p.isDeleted = f, l.line, l.isDeleted
	l.nhs, p.nhsState = ReadNHSNumber(l.nhs[:0], l.at("NhsNumber"), l.AllowTest)
	copy(p.nhs[:], l.nhs)
	l.emis = ReadEMISNumber(l.emis[:0], l.at("PatientNumber"))
	p.emis = string(l.emis)
}

// Read reads the rows of one file of the agreement and hands each to emit.
func (e *Extract) Read(f *File, emit func(*Row) error) (Tally, error) {
	if err := e.reach(f); err != nil {
		return Tally{}, err
	}
	read, closed, err := e.reader.begin(f)
	if err != nil {
		return Tally{}, err
	}
	defer closed()
	read.emit = emit
	replaced := e.superseded[f]
	err = e.walk(read, func(l *bulkLine) error {
		isReplaced := false
		for len(replaced) > 0 && replaced[0] <= l.line {
			isReplaced = isReplaced || replaced[0] == l.line
			replaced = replaced[1:]
		}
		row := &l.row
		*row = Row{Line: l.line, RegisteredDate: civil.None, DeductedDate: civil.None, DeathDate: civil.None, ActivityDate: civil.None, RecordedDate: civil.None}
		if l.isBroken {
			row.malformed(f)
			return l.put(row)
		}
		e.readOrganisation(row, l)
		row.PatientType, row.RegistrationStatus = string(Blank), string(Blank)
		row.CodeState, row.ActivityState, row.RecordedState = Blank, Blank, Blank
		if f.bulk.table == tablePatient {
			e.readPatient(row, l)
		} else {
			e.readObservation(row, l)
		}
		row.Deleted = row.Deleted || l.isDeleted || isReplaced
		return l.put(row)
	}, true)
	if err != nil {
		return Tally{}, err
	}
	return read.tally, nil
}

// reach takes in the look-ups of the deliveries up to that of f.
func (e *Extract) reach(f *File) error {
	for e.reached < len(e.agreement.deliveries) {
		d := e.agreement.deliveries[e.reached]
		if cmp.Or(cmp.Compare(d.stamp, f.bulk.stamp), cmp.Compare(d.folder, f.bulk.folder)) > 0 {
			return nil
		}
		for _, lookup := range d.files[tableOrganisation] {
			err := e.eachLine(lookup, func(l *bulkLine) {
				if key, ok := l.key("OrganisationGuid"); ok {
					e.organisations[key] = string(trim(l.at("ODSCode")))
				}
			})
			if err != nil {
				return err
			}
		}
		for _, lookup := range d.files[tableCode] {
			err := e.eachLine(lookup, func(l *bulkLine) { e.addCode(l) })
			if err != nil {
				return err
			}
		}
		e.reached++
	}
	return nil
}

// Unread counts the lines of each look-up file that could not be used; what they
// stand for is then unknown.
func (e *Extract) Unread() map[*File]int { return e.unread }

// addCode takes in what a code id stands for. A code without a SNOMED CT concept
// is EMIS's own: sound, and none of the contract's.
func (e *Extract) addCode(l *bulkLine) {
	var read readCode
	read.code, read.state = e.reader.Book.read(l.at("SnomedCTConceptId"))
	if read.state == Blank {
		read.state = Other
	}
	index, known := e.codeIndex[read]
	if !known {
		index = uint32(len(e.readCodes))
		e.readCodes, e.codeIndex[read] = append(e.readCodes, read), index
	}
	if id := trim(l.at("CodeId")); len(id) > 0 {
		e.codes[string(id)] = index
	}
}

// readOrganisation reads the practice: the ODS code of the line's organisation,
// and where the line names none, the file's own.
func (e *Extract) readOrganisation(row *Row, l *bulkLine) {
	var known practice
	if key, named := l.key("OrganisationGuid"); !named {
		known = l.practiceOf(nil)
	} else if code, found := e.organisations[key]; found {
		known = l.practiceOf([]byte(code))
	} else {
		known = practice{"", Unknown}
	}
	row.Practice, row.PracticeState = known.code, known.state
}

// readPatient reads an Admin_Patient line, which is evidence of status.
func (e *Extract) readPatient(row *Row, l *bulkLine) {
	l.nhs, row.NHSState = ReadNHSNumber(l.nhs[:0], l.at("NhsNumber"), l.AllowTest)
	l.emis = ReadEMISNumber(l.emis[:0], l.at("PatientNumber"))
	row.NHSNumber, row.EMISNumber = l.nhs, l.emis
	row.Dummy = l.isDummy
	l.readStatus(row)
	if key, named := l.key("PatientGuid"); named && e.patients[key] != nil {
		row.Deleted = e.patients[key].isDeleted
	}
}

// readObservation reads a CareRecord_Observation line. Whose it is, the newest
// line about its patient says; a patient of whom no stamp up to its own has told
// is none. What is a deleted patient's is deleted, whenever the patient was told of.
func (e *Extract) readObservation(row *Row, l *bulkLine) {
	row.NHSState = Blank
	key, named := l.key("PatientGuid")
	p := e.patients[key]
	row.Deleted = named && p != nil && p.isDeleted
	if named && p != nil && p.since <= l.file.bulk.stamp {
		row.NHSState = p.nhsState
		if p.nhsState == Valid {
			l.nhs = append(l.nhs[:0], p.nhs[:]...)
			row.NHSNumber = l.nhs
		}
		l.emis = append(l.emis[:0], p.emis...)
		row.EMISNumber = l.emis
	}
	id := trim(l.at("CodeId"))
	if len(id) > 0 {
		row.Code, row.CodeState = snomed.Code(""), Invalid
		if index, found := e.codes[string(id)]; found {
			row.Code, row.CodeState = e.readCodes[index].code, e.readCodes[index].state
		}
	}
	row.ActivityDate, row.ActivityState = l.date(l.at("EffectiveDate"))
	if row.CodeState == Blank && row.ActivityState == Blank {
		return
	}
	row.Event = 1
	row.RecordedDate, row.RecordedState = l.date(l.at("EnteredDate"))
}

// begin opens a file at the first record below its header.
func (r *Reader) begin(f *File) (read *fileReader, closed func(), err error) {
	file, err := r.open(f)
	if err != nil {
		return nil, nil, err
	}
	read = r.newFileReader(f, nil)
	if err := read.openText(file); err != nil {
		file.Close()
		return nil, nil, read.refused(err)
	}
	return read, func() { file.Close() }, nil
}

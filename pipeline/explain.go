package pipeline

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"ltcles/pipeline/civil"
	"ltcles/pipeline/emis"
	"ltcles/pipeline/explain"
	"ltcles/pipeline/pseudonym"
	"ltcles/pipeline/schema"
	"ltcles/sql"
)

// Asked is who someone asks about.
type Asked struct {
	Practice string // whose EMIS number it is; "" for an NHS number
	Number   []byte // as package emis reads it
}

// pseudonym turns the number into its pseudonym, and leaves nothing of the number.
func (a Asked) pseudonym(key *pseudonym.Key) []byte {
	defer clear(a.Number)
	if a.Practice == "" {
		return key.NewHasher().Sum(nil, a.Number)
	}
	identity := emisIdentity(nil, a.Practice, a.Number)
	defer clear(identity)
	return key.NewHasher().Sum(nil, identity)
}

// Explanation is why a patient is, or is not, counted in a period. Nothing in it says who the
// patient is.
type Explanation struct {
	Computed
	Verdict explain.Verdict `json:"verdict"`
	Rules   []explain.Rule  `json:"rules"`
	Rows    []explain.Row   `json:"rows"`
	// Published is the patient's row of fact_assessment as it is published; null for none.
	Published *explain.Assessment `json:"published_assessment"`
	// Differs tells that it is not what was computed now.
	Differs bool `json:"differs_from_published"`
}

// Computed says what period was computed, and how it stands to what is published.
type Computed struct {
	RunID    string       `json:"run_id"`
	Period   string       `json:"period"`
	AsAt     civil.Date   `json:"as_at"`
	AsAtFrom string       `json:"as_at_from"`
	CutOff   civil.Date   `json:"cut_off"`
	Standing Standing     `json:"standing"`
	Unread   []UnreadFile `json:"unread_files"`
}

// UnreadFile is a file that could not be read, whatever it holds.
type UnreadFile struct {
	File    string `json:"file"`
	Message string `json:"message"`
}

// RowList is the rows of a practice that have one disposition.
type RowList struct {
	Computed
	Practice    string             `json:"practice_code"`
	Disposition string             `json:"disposition"`
	Rows        []explain.Position `json:"rows"`
}

// Explain computes a period again and says what became of one patient in it. The number asked
// about is blanked before a row is read.
func Explain(ctx context.Context, cfg Config, asked Asked) (explanation *Explanation, err error) {
	defer clear(asked.Number)
	err = reopen(ctx, cfg, func(r *run, standing Standing) error {
		if err := r.settleKeys(); err != nil {
			return err
		}
		number := asked.pseudonym(r.key)
		if err := r.recompute(ctx); err != nil {
			return err
		}
		explanation, err = r.explain(ctx, number, asked.Practice, standing)
		return err
	})
	return explanation, err
}

// ListRows computes a period again and lists the rows of the practice of cfg that have a
// disposition. A row of no known practice is in the list of the practice whose file it is in.
func ListRows(ctx context.Context, cfg Config, disposition schema.Disposition) (*RowList, error) {
	list := &RowList{Practice: cfg.Practice, Disposition: disposition.Name, Rows: []explain.Position{}}
	err := replay(ctx, cfg, func(r *run, standing Standing) error {
		list.Computed = r.computed(standing)
		return r.db.Query(ctx, `
			select coalesce(practices.practice_code, files.practice_code, '`+UnknownPractice+`'), files.file_name, dispositions.line, dispositions.event
			from int_disposition as dispositions
			inner join raw_file as files on files.file_no = dispositions.file_no
			left join raw_practice as practices on practices.practice_no = dispositions.practice_no
			where dispositions.disposition = '`+disposition.Name+`'
			order by dispositions.file_no, dispositions.line, dispositions.event`, func(v []any) error {
			if v[0] == cfg.Practice {
				list.Rows = append(list.Rows, explain.Position{File: v[1].(string), Line: int(v[2].(int32)), Event: int(v[3].(int32))})
			}
			return nil
		})
	})
	return list, err
}

func (r *run) computed(standing Standing) Computed {
	c := Computed{
		RunID: r.id, Period: r.cfg.Period.String(), AsAt: r.asAt, AsAtFrom: r.report.AsAtFrom, CutOff: r.cutOff,
		Standing: standing, Unread: []UnreadFile{},
	}
	if r.published != nil && r.asAt == r.published.Manifest.AsAt {
		c.AsAtFrom = "as published"
	}
	if c.Standing.Changes == nil {
		c.Standing.Changes = []Change{}
	}
	for _, in := range r.inputs {
		if in.Status == emis.Refused {
			c.Unread = append(c.Unread, UnreadFile{in.Name, in.Message})
		}
	}
	return c
}

// explain says what became of the patient that a number stands for. practice is whose EMIS
// number it is, "" for an NHS number.
func (r *run) explain(ctx context.Context, number []byte, practice string, standing Standing) (*Explanation, error) {
	if err := r.ask(ctx, number, practice != ""); err != nil {
		return nil, fmt.Errorf("ask about a patient: %w", err)
	}
	facts := explain.Facts{
		Period: r.cfg.Period.String(), AsAt: r.asAt, CutOff: r.cutOff, PeriodEnd: r.cfg.Period.End(),
		YearStart: r.contract.Year.Start(), CodingDeadline: r.contract.CodingDeadline,
		RequireRegular: r.contract.Policies.RequireRegular, CountWithoutSegment: r.contract.Policies.CountWithoutSegment,
		RequireEligibility: r.contract.Policies.RequireEligibility,
		Practice:           practice, DeathDate: civil.None, Rows: []explain.Row{},
	}
	for _, gather := range []func(context.Context, *explain.Facts) error{r.gatherIdentity, r.gatherRegistrations, r.gatherSegments, r.gatherRows} {
		if err := gather(ctx, &facts); err != nil {
			return nil, fmt.Errorf("explain: %w", err)
		}
	}
	var err error
	if facts.Assessment, err = r.assessmentIn(ctx, "mart_fact_assessment"); err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	explanation := &Explanation{
		Computed: r.computed(standing), Verdict: explain.Judge(facts), Rules: explain.Rules(facts), Rows: facts.Rows,
	}
	if explanation.Published, err = r.assessmentIn(ctx, "ask_published"); err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	explanation.Differs = standing.Published != nil && !explanation.Published.Equal(facts.Assessment)
	return explanation, nil
}

// ask makes the tables of sql/ask for a number.
func (r *run) ask(ctx context.Context, number []byte, isEMIS bool) error {
	names, err := fs.Glob(sql.Files, "ask/*.sql")
	if err != nil {
		return err
	}
	for i, name := range names {
		if err := r.db.ExecFile(ctx, sql.Files, name); err != nil {
			return err
		}
		if i == 0 {
			if err := r.db.Append(ctx, "asked", [][]driver.Value{{hex.EncodeToString(number), int64(binary.BigEndian.Uint64(number)), isEMIS}}); err != nil {
				return err
			}
		}
	}
	if r.current == nil {
		return nil
	}
	published, ok := r.current.File("fact_assessment", r.cfg.Period.String())
	if !ok {
		return nil
	}
	return r.db.InsertParquet(ctx, "ask_published", strings.Join(append(assessmentColumns(), r.segmentColumns()...), ", "), r.current.Path(published.Name))
}

// assessmentColumns are those of fact_assessment that an explanation shows, but for the segments.
func assessmentColumns() []string {
	return []string{"patient_key", "practice_code", "activity_date", "recorded_date", "timeliness", "has_eligibility", "is_counted"}
}

// segmentColumns are those of the segments, in the contract's order.
func (r *run) segmentColumns() (columns []string) {
	for _, segment := range r.contract.Segments {
		columns = append(columns, "in_"+segment.Segment)
	}
	return columns
}

// gatherIdentity says who the number stands for (R5), and whether they have died (R7).
func (r *run) gatherIdentity(ctx context.Context, facts *explain.Facts) error {
	return r.db.Query(ctx, `
		select ask_patient.is_paired, ask_patient.is_ambiguous, deceased.patient_no is not null, deceased.death_date
		from ask_patient
		left join int_deceased as deceased on deceased.patient_no = ask_patient.patient_no`, func(v []any) error {
		facts.IsPaired, facts.IsAmbiguous, facts.IsDeceased, facts.DeathDate = v[0].(bool), v[1].(bool), v[2].(bool), dateOf(v[3])
		return nil
	})
}

func (r *run) gatherRegistrations(ctx context.Context, facts *explain.Facts) error {
	return r.db.Query(ctx, `
		select practice_code, place_choice, newest_extract_date, has_status, extract_date, registered_date, deducted_date,
			has_left_text, has_not_regular_text, is_dummy, is_left, is_not_regular, choice, is_chosen
		from ask_practice order by practice_code`, func(v []any) error {
		facts.Registrations = append(facts.Registrations, explain.Registration{
			Practice: v[0].(string), PlaceChoice: textOf(v[1]), NewestExtract: dateOf(v[2]), HasStatus: v[3].(bool),
			Extract: dateOf(v[4]), Registered: dateOf(v[5]), Deducted: dateOf(v[6]),
			HasLeftText: v[7].(bool), HasNotRegularText: v[8].(bool), IsDummy: v[9].(bool),
			IsLeft: v[10].(bool), IsNotRegular: v[11].(bool), Choice: v[12].(int64), IsChosen: v[13].(bool),
		})
		return nil
	})
}

func (r *run) gatherSegments(ctx context.Context, facts *explain.Facts) error {
	return r.db.Query(ctx, `
		select segments.segment
		from int_segment_patient as members
		inner join ask_patient on ask_patient.patient_no = members.patient_no
		inner join raw_segment as segments on segments.sort_order = members.segment_no
		order by segments.sort_order`, func(v []any) error {
		facts.Segments = append(facts.Segments, v[0].(string))
		return nil
	})
}

func (r *run) gatherRows(ctx context.Context, facts *explain.Facts) error {
	advice := schema.Rejections()
	return r.db.Query(ctx, `
		select file_name, line, event, kind, practice_code, code, term, activity_date, recorded_date, registered_date,
			deducted_date, death_date, patient_type, registration_status, is_dummy, disposition, outcome, invalid_status_date,
			kept_file_name, kept_line, kept_event, timeliness, segment, source, is_own, step, role, cohort, place,
			stated_extract_date, has_nhs_number, is_nhs_invalid
		from ask_row order by file_no, line, event`, func(v []any) error {
		row := explain.Row{
			File: v[0].(string), Line: int(v[1].(int32)), Event: int(v[2].(int32)), Kind: v[3].(string), Practice: textOf(v[4]),
			Code: textOf(v[5]), Term: textOf(v[6]), Activity: dateOf(v[7]), Recorded: dateOf(v[8]), Registered: dateOf(v[9]),
			Deducted: dateOf(v[10]), Death: dateOf(v[11]), Type: textOf(v[12]), Status: textOf(v[13]), IsDummy: v[14].(bool),
			Disposition: v[15].(string), Outcome: v[16].(string), Timeliness: textOf(v[21]), Segment: textOf(v[22]), Source: textOf(v[23]),
			IsDoubtful: !v[24].(bool), Step: int64(v[25].(int32)), Role: textOf(v[26]), Cohort: textOf(v[27]),
			Extract: dateOf(v[29]), HasNHSNumber: v[30].(bool), IsNHSInvalid: v[31].(bool),
		}
		if field := advice[row.Disposition].Field; field != "" {
			row.Field = field
			if status := textOf(v[17]); status != "" && row.Disposition == "date_invalid" {
				row.Field = status
			}
		}
		if v[18] != nil {
			row.Kept = &explain.Position{File: v[18].(string), Line: int(v[19].(int32)), Event: int(v[20].(int32))}
		}
		if place := whole(v[28]); place != nil {
			row.Place = *place
		}
		facts.Rows = append(facts.Rows, row)
		return nil
	})
}

// assessmentIn is the patient's row in a table of assessments; nil for none. One who was known by
// an EMIS number when it was published is found under that.
func (r *run) assessmentIn(ctx context.Context, table string) (found *explain.Assessment, err error) {
	columns := append(assessmentColumns(), r.segmentColumns()...)
	err = r.db.Query(ctx, `
		select assessments.`+strings.Join(columns, ", assessments.")+`
		from `+table+` as assessments
		inner join ask_key on ask_key.patient_key = assessments.patient_key
		order by ask_key.place, ask_key.patient_key`, func(v []any) error {
		if found != nil {
			return nil
		}
		found = &explain.Assessment{
			Practice: v[1].(string), Activity: dateOf(v[2]), Recorded: dateOf(v[3]), Timeliness: v[4].(string),
			HasEligibility: v[5].(bool), IsCounted: v[6].(bool), Segments: []string{},
		}
		for i, segment := range r.contract.Segments {
			if v[len(assessmentColumns())+i].(bool) {
				found.Segments = append(found.Segments, segment.Segment)
			}
		}
		return nil
	})
	return found, err
}

// dateOf is a date that the engine hands out; None for null.
func dateOf(value any) civil.Date {
	if day, ok := value.(time.Time); ok {
		return civil.FromTime(day)
	}
	return civil.None
}

// textOf is a text that the engine hands out; "" for null.
func textOf(value any) string {
	text, _ := value.(string)
	return text
}

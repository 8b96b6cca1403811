package schema

import "strings"

// Relationship says that a column of one table names a row of another: each value of it that is
// not null is a value of the other's column in the same period. What is published of a contract
// year is of one period at a time, and each period has dimensions of its own, so that a join is on
// the period and the column.
type Relationship struct {
	Table, Column     string
	ToTable, ToColumn string
}

// Relationships lists the star: each table's columns that name a row of another, in the order of
// the tables. A table has at most one to each other.
func Relationships() []Relationship {
	// Columns of one name mean one thing in every table, but for dates: recorded_date and paid_month
	// may lie outside the year that dim_date has.
	named := []struct{ toTable, toColumn, column string }{
		{"dim_practice", "practice_code", "practice_code"},
		{"dim_segment", "segment", "segment"},
		{"dim_code", "code", "code"},
		{"dim_date", "date", "activity_date"},
		{"dim_date", "date", "first_coded_date"},
		{"dim_date", "date", "month"},
		{"fact_file", "file_name", "file_name"},
	}
	var all []Relationship
	for _, table := range Tables() {
		for _, to := range named {
			if _, ok := table.Column(to.column); ok && table.Name != to.toTable {
				all = append(all, Relationship{table.Name, to.column, to.toTable, to.toColumn})
			}
		}
	}
	return all
}

// IsOneToOne says whether the table has at most one row for each row of the other.
func (r Relationship) IsOneToOne() bool {
	table, ok := Lookup(r.Table)
	return ok && strings.Join(table.Key(), " ") == r.Column
}

// Caution is something to know before adding up.
type Caution struct {
	Title string
	Text  string // one sentence or two
}

// Cautions lists what a reader of the tables has to know so as not to count twice.
func Cautions() []Caution {
	return []Caution{
		{"Top level or history, never both",
			"A table's own file holds, for each contract year, its latest period; history holds every period, that one too. Read one of the two, and never add them up."},
		{"One period of history at a time",
			"A period's rows are the contract year to date, not what was added since the period before. Compare periods with each other; a sum over them counts each assessment again in each."},
		{"Contract years side by side",
			"The top level holds every contract year that is published, and a practice, segment or code has a row in each. Filter by contract_year, or join on period and the key."},
		{"Supplements stand beside the year end",
			"A supplement such as 2026-27-s1 is the whole year computed again after it was frozen. It is in history only, and neither adds to the frozen year end nor replaces it."},
		{"Totals are not rows",
			"Every row of a fact table is about what its grain says, so its counts and money may be added up over practices."},
		{"Segments overlap",
			"A patient is in every segment that their cohorts give, so segments add up to more than the patients. Use cohort_patients and assessments of fact_practice_position, or fact_cohort_overlap, whose sets do not overlap."},
		{"Patients of quarters and codes overlap",
			"In fact_mdt_activity a patient is counted in each quarter and for each code: add up events, never patients, over either."},
		{"Shares do not add up",
			"Add up counted and annual_target and divide, where an achievement of several practices is wanted, and leave out practices in which either is null."},
		{"Null is not zero",
			"Null means not known: the practice sent nothing that could be read, or has no target. A sum that leaves it out is a sum over the others, and is to say so."},
		{"Patients across periods",
			"A patient_key is the same in all periods under one key; the manifest names each period's key_id. Never join on patient_key across two keys."},
	}
}

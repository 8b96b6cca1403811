package schema

// Tables lists every published table, in the dictionary's order.
func Tables() []Table {
	return []Table{
		dimPractice(), dimSegment(), dimCode(), dimDate(),
		factAssessment(), factCohortPatient(), factSegmentCount(), factPracticePosition(),
		factAssessmentMonth(), factSegmentMonth(), factCohortOverlap(), factMDTActivity(),
		factPayment(), factReconciliation(), factInstalment(),
		factCoverage(), factDisposition(), factFile(), factFinding(),
	}
}

// Segments names the five segments that the tables have columns for, in the order of those
// columns.
func Segments() []string {
	return []string{"population_health", "cardiovascular", "respiratory", "place_choice", "severe_mental_illness"}
}

const exampleKey = "9c0a5d3b7e1f42868d90b3c4a5e6f70812233445566778899aabbccddeeff001"

func cohorts() []string {
	return []string{"population_health", "cardiovascular", "respiratory", "diabetes", "frailty", "severe_mental_illness"}
}

func domains() []string { return []string{"implementation", "assessments", "mdt"} }

func dimPractice() Table {
	return table("dim_practice", "practice of the contract year",
		practiceCode(),
		opt("practice_name", Varchar, "The practice's name.", "", "Example Surgery"),
		opt("place", Varchar, "The place that the practice belongs to; it is taken from the practice, never from its PCN.", "", "West Lancashire"),
		opt("place_choice", Varchar, "The cohort that the place chose for the year; null while it is undecided.", "R13", "diabetes").of("diabetes", "frailty"),
		opt("pcn_code", Varchar, "The code of the practice's primary care network.", "", "U00001"),
		opt("pcn_name", Varchar, "The name of the practice's primary care network.", "", "Example PCN"),
		opt("registered_population", Bigint, "Patients registered at the practice, as the contract counts them.", "", "9800"),
		opt("weighted_population", Double, "The practice's weighted population, which the contract value rests on.", "R19", "10123.45"),
		opt("annual_target", Bigint, "Assessments that the practice is to do in the contract year; null where none is set.", "R16", "390"),
	)
}

func dimSegment() Table {
	return table("dim_segment", "segment of the contract year",
		key("segment", Varchar, "The segment.", "R13", "cardiovascular").of(Segments()...),
		col("segment_name", Varchar, "The segment's name as people read it.", "", "Cardiovascular"),
		opt("minimum_share", Double, "The least share of the annual target that must fall in the segment; null where it is not set.", "R16", "0.1"),
		col("sort_order", Bigint, "The segment's place in lists and in segment_set.", "", "2"),
	)
}

func dimCode() Table {
	return table("dim_code", "code of the contract year's code book",
		key("code", Varchar, "The SNOMED CT concept identifier, as text.", "R2", "417206009"),
		col("term", Varchar, "The code's term.", "", "Cardiovascular disease monitoring"),
		col("role", Varchar, "What the code says: an assessment done, eligibility, membership of a cohort, or MDT activity.", "", "cohort").of("claim", "eligibility", "cohort", "mdt"),
		opt("cohort", Varchar, "The cohort that the code puts a patient in; null for other roles.", "R12", "cardiovascular").of(cohorts()...),
		opt("segment", Varchar, "The segment that the cohort belongs to; null for other roles.", "R13", "cardiovascular").of(Segments()...),
	)
}

func dimDate() Table {
	return table("dim_date", "day of the contract year",
		key("date", Date, "The day.", "", "2026-06-15"),
		col("month", Date, "The first day of its month, as in the month tables.", "", "2026-06-01"),
		col("contract_month", Bigint, "The month's number in the contract year; 1 is April.", "", "3"),
		col("quarter", Bigint, "The quarter's number in the contract year; 1 is April to June.", "R15", "1"),
		col("is_month_end", Boolean, "The day is the last of its month.", "", "false"),
	)
}

func factAssessment() Table {
	return table("fact_assessment", "assessed patient in the contract year",
		key("patient_key", Varchar, "The patient's pseudonym, the same in every table and period under one key.", "R5", exampleKey),
		col("practice_code", Varchar, "The practice that the assessment belongs to.", "R10", "Z00001"),
		col("activity_date", Date, "The day of the assessment.", "R11", "2026-06-15"),
		opt("recorded_date", Date, "The day on which it was entered in the record; null where no file says.", "R14", "2026-06-16"),
		col("timeliness", Varchar, "Whether it was coded by the coding deadline.", "R14", "on_time").of("on_time", "late", "unproven"),
		col("has_eligibility", Boolean, "The patient has the eligibility code in the contract year.", "R12", "true"),
		col("is_counted", Boolean, "The assessment counts towards the target.", "R13", "true"),
		col("segments", Bigint, "The number of segments that the patient is in.", "R13", "2"),
		col("in_population_health", Boolean, "The patient is in the population health segment.", "R13", "false"),
		col("in_cardiovascular", Boolean, "The patient is in the cardiovascular segment.", "R13", "true"),
		col("in_respiratory", Boolean, "The patient is in the respiratory segment.", "R13", "true"),
		col("in_place_choice", Boolean, "The patient is in the cohort that the place chose.", "R13", "false"),
		col("in_severe_mental_illness", Boolean, "The patient is in the severe mental illness segment.", "R13", "false"),
		opt("assessed_last_year", Boolean, "The patient was assessed last year too; null where last year was not published.", "R17", "true"),
	)
}

func factCohortPatient() Table {
	return table("fact_cohort_patient", "patient and cohort in the contract year",
		key("patient_key", Varchar, "The patient's pseudonym, the same in every table and period under one key.", "R5", exampleKey),
		col("practice_code", Varchar, "The practice that the patient is registered at.", "R10", "Z00001"),
		key("cohort", Varchar, "The cohort that the patient is in.", "R12", "respiratory").of(cohorts()...),
		opt("segment", Varchar, "The segment that the cohort gives; null where the place did not choose the cohort.", "R13", "respiratory").of(Segments()...),
		opt("first_coded_date", Date, "The earliest date of the cohort code in the contract year; null where only an undated batch-add row has it.", "R12", "2026-05-02"),
		col("source", Varchar, "Where the membership comes from: the record, a batch-add file, or both.", "R12", "record").of("record", "batch_add", "both"),
		col("is_assessed", Boolean, "The patient has an assessment in the contract year.", "R11", "true"),
	)
}

func factSegmentCount() Table {
	return table("fact_segment_count", "practice and segment of the contract year",
		practiceCode(),
		key("segment", Varchar, "The segment.", "R13", "respiratory").of(Segments()...),
		opt("cohort", Varchar, "The cohort that fills the segment; null where the place has not chosen one.", "R13", "respiratory").of(cohorts()...),
		opt("cohort_patients", Bigint, "Patients in the segment; null where the practice is missing.", "R13", "412"),
		opt("assessed_patients", Bigint, "Those of them who are assessed; null where the practice is missing.", "R13", "120"),
		opt("assessed_on_time", Bigint, "Those assessed whose assessment was coded on time; null where the practice is missing.", "R14", "118"),
		opt("outstanding_patients", Bigint, "Patients in the segment who are not assessed; null where the practice is missing.", "R17", "292"),
		opt("minimum_required", Bigint, "The least number of assessed patients that the segment must have; null without a target or a minimum.", "R16", "39"),
		opt("shortfall", Bigint, "Assessed patients that are lacking for the minimum; null where it cannot be known.", "R16", "0"),
		opt("is_minimum_met", Boolean, "The segment has its minimum; null where it cannot be known.", "R18", "true"),
	)
}

func factPracticePosition() Table {
	return table("fact_practice_position", "practice of the contract year",
		practiceCode(),
		opt("annual_target", Bigint, "Assessments that the practice is to do in the contract year; null where none is set.", "R16", "390"),
		opt("assessments", Bigint, "Patients assessed; null, as all activity here, where the practice is missing.", "R11", "140"),
		opt("counted", Bigint, "Assessments that count towards the target.", "R13", "132"),
		opt("counted_on_time", Bigint, "Counted assessments that were coded by the coding deadline.", "R14", "128"),
		opt("counted_late", Bigint, "Counted assessments that were coded after the coding deadline.", "R14", "3"),
		opt("counted_unproven", Bigint, "Counted assessments of which nothing shows when they were coded.", "R14", "1"),
		opt("without_segment", Bigint, "Assessments of patients who are in no segment.", "R13", "8"),
		opt("without_eligibility", Bigint, "Assessments of patients who lack the eligibility code.", "R12", "5"),
		opt("repeat_assessments", Bigint, "Patients assessed here now and assessed last year; null where last year was not published.", "R17", "61"),
		opt("removed_left", Bigint, "Patients with a claim in the year that does not count because they left.", "R17", "4"),
		opt("removed_deceased", Bigint, "Patients with a claim in the year that does not count because they died.", "R17", "1"),
		opt("eligible_patients", Bigint, "Patients with the eligibility code.", "R17", "520"),
		opt("cohort_patients", Bigint, "Patients in at least one segment, each once.", "R17", "890"),
		opt("outstanding_patients", Bigint, "Patients in at least one segment who are not assessed.", "R17", "758"),
		opt("achievement", Double, "Counted assessments divided by the target; null without a target.", "R17", "0.3385"),
		opt("achievement_capped", Double, "Achievement, and 1 where it is more.", "R17", "0.3385"),
		opt("achievement_all", Double, "All assessments divided by the target, those in no segment too; null without a target.", "R17", "0.359"),
		opt("expected_to_date", Double, "The part of the target that falls on the days elapsed by the cut-off; null without a target.", "R17", "97.23"),
		opt("projected_year_end", Bigint, "Counted assessments at the year's end if the pace stays the same.", "R17", "529"),
		opt("inclusive_shortfall", Bigint, "The sum of the segments' shortfalls; null without a target.", "R18", "12"),
		opt("exclusive_shortfall", Bigint, "Further assessments needed if each could serve one segment's minimum only; null without a target.", "R18", "20"),
		opt("segments_met", Bigint, "The number of segments that have their minimum; null without a target.", "R18", "4"),
		col("files_received", Bigint, "Files of the practice that were read; 0 where none arrived.", "", "7"),
	)
}

func factAssessmentMonth() Table {
	return table("fact_assessment_month", "practice and month in which it has an assessment",
		practiceCode(),
		month(),
		col("assessments", Bigint, "Patients whose assessment is dated in the month.", "R11", "31"),
		col("counted", Bigint, "Those of them that count towards the target.", "R13", "29"),
	)
}

func factSegmentMonth() Table {
	return table("fact_segment_month", "practice, segment and month in which it has an assessment",
		practiceCode(),
		key("segment", Varchar, "The segment.", "R13", "respiratory").of(Segments()...),
		month(),
		col("assessments", Bigint, "Patients of the segment whose assessment is dated in the month.", "R13", "14"),
	)
}

func factCohortOverlap() Table {
	return table("fact_cohort_overlap", "practice and exact set of segments that a patient is in",
		practiceCode(),
		key("segment_set", Varchar, "The segments that its patients are in and no others, in dim_segment's order, joined by a plus.", "R13", "cardiovascular+respiratory"),
		col("segments", Bigint, "The number of segments in the set.", "R13", "2"),
		col("patients", Bigint, "Patients in exactly these segments.", "R13", "57"),
		col("assessed_patients", Bigint, "Those of them who are assessed.", "R11", "21"),
		col("outstanding_patients", Bigint, "Those of them who are not.", "R17", "36"),
	)
}

func factMDTActivity() Table {
	return table("fact_mdt_activity", "practice, quarter and MDT code that was used",
		practiceCode(),
		key("quarter", Bigint, "The quarter of the contract year; 1 is April to June.", "R15", "1"),
		key("code", Varchar, "The MDT code.", "R15", "713761000000107"),
		col("patients", Bigint, "Patients with the code in the quarter.", "R15", "18"),
		col("events", Bigint, "Events: each patient once a day.", "R15", "22"),
	)
}

func factPayment() Table {
	return table("fact_payment", "practice and domain of the contract year",
		practiceCode(),
		key("domain", Varchar, "The part of the contract.", "R19", "assessments").of(domains()...),
		opt("annual_value", Money, "What the domain is worth in the year, in pounds; null where the weighted population or the pounds per head are not known.", "R19", "46770.34"),
		opt("advance_value", Money, "The part of annual_value that is paid in advance.", "R19", "37416.27"),
		opt("earned_value", Money, "What activity so far earns on the selected basis; null where the practice is missing, and without a target where the domain follows activity.", "R19", "15829.96"),
		opt("held_value", Money, "The part of earned_value that rests on assessments not coded on time; it is confirmed later and never recouped.", "R19", "479.69"),
		opt("balance", Money, "Earned_value less advance_value.", "R19", "-21586.31"),
	)
}

func factReconciliation() Table {
	return table("fact_reconciliation", "practice of the contract year",
		practiceCode(),
		col("status", Varchar, "Whether the year end is frozen.", "R20", "provisional").of("provisional", "final"),
		col("basis", Varchar, "What follows activity: the assessments domain alone, or the whole contract value.", "R19", "domain_2").of("domain_2", "whole_contract"),
		opt("contract_value", Money, "Weighted population times pounds per head, in pounds; null where either is not known.", "R19", "85036.98"),
		opt("advance_value", Money, "The part of contract_value that is paid in advance over the year: the sum of the domains'.", "R19", "68029.58"),
		opt("advance_paid_to_date", Money, "The instalments paid up to the period's month.", "R20", "17007.41"),
		opt("earned_value", Money, "What activity so far earns on the selected basis; null where the practice is missing or has no target.", "R19", "54096.60"),
		opt("held_value", Money, "The part of earned_value that rests on assessments not coded on time; it is confirmed later and never recouped.", "R19", "479.69"),
		opt("balance", Money, "Earned_value less advance_value.", "R19", "-13932.98"),
		opt("direction", Varchar, "What becomes of the balance: it is paid, recouped, or there is none; null until the year end is frozen, and where there is no balance.", "R20", "recoup").of("pay", "recoup", "none"),
		opt("earned_value_other_basis", Money, "What earned_value is on the basis that is not selected.", "R19", "28781.75"),
		opt("balance_other_basis", Money, "What balance is on the basis that is not selected.", "R19", "-39247.83"),
		opt("projected_earned_value", Money, "What earned_value is if the year ends at projected_year_end.", "R20", "85036.98"),
		opt("projected_balance", Money, "Projected_earned_value less advance_value.", "R20", "17007.40"),
	)
}

func factInstalment() Table {
	return table("fact_instalment", "practice and instalment of the advance in the contract year",
		practiceCode(),
		key("instalment", Bigint, "The instalment's number, from 1 in the order of payment.", "R19", "3"),
		col("paid_month", Date, "The first day of the month in which it is paid.", "R20", "2026-06-01"),
		col("covers", Varchar, "What it is paid for.", "R19", "June 2026"),
		opt("amount", Money, "The instalment, in pounds; null where the contract value is not known.", "R19", "5669.13"),
	)
}

func factCoverage() Table {
	return table("fact_coverage", "practice of the contract year",
		practiceCode(),
		col("search_files", Bigint, "Search exports of the practice that were read.", "", "6"),
		col("bulk_files", Bigint, "Bulk extract files of the practice that were read.", "", "0"),
		col("batch_files", Bigint, "Batch-add files of the practice that were read.", "", "1"),
		col("register_files", Bigint, "Registers of the practice that were read.", "", "0"),
		col("refused_files", Bigint, "Files of the practice that were refused.", "", "0"),
		opt("newest_extract_date", Date, "The newest extract date of its files, which is as-at for a file that states none; null where no file was read.", "R6", "2026-07-01"),
		col("state", Varchar, "Whether the practice's activity is known; missing is never zero.", "", "supplied").of("supplied", "missing"),
	)
}

func factDisposition() Table {
	var names []string
	for _, d := range Dispositions() {
		names = append(names, d.Name)
	}
	return table("fact_disposition", "practice (null if unknown), file and disposition that occurs",
		key("practice_code", Varchar, "The ODS code of the practice that the rows belong to; null where it is not known.", "R4", "Z00001").nullable(),
		key("file_name", Varchar, "The file, relative to the period's inbox.", "", "Z00001/cardiovascular.csv"),
		key("disposition", Varchar, "What became of the rows.", "", "duplicate").of(names...),
		col("rows", Bigint, "The number of input rows.", "", "12"),
	)
}

func factFile() Table {
	return table("fact_file", "file in the period's inbox, archive members singly",
		key("file_name", Varchar, "The file, relative to the period's inbox; a member of an archive is archive.zip!member.", "", "Z00001/cardiovascular.csv"),
		opt("sha256", Varchar, "The SHA-256 of its bytes; null where they could not be read.", "", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
		col("kind", Varchar, "What the file is.", "", "search_export").of("search_export", "bulk_extract", "bulk_lookup", "batch_add", "register", "summary", "archive", "other"),
		opt("practice_codes", Varchar, "The practices that its rows belong to, joined by commas; null where none is known.", "R4", "Z00001"),
		opt("extract_date", Date, "The day on which the file says it was taken; as-at where a file that was read does not say; null where it was not read and does not say.", "R6", "2026-07-01"),
		opt("relative_date", Date, "The day that the search was run as at; null where the file does not say.", "", "2026-06-30"),
		opt("encoding", Varchar, "The character encoding that it was read in; null where it was not read as text.", "", "UTF-8"),
		opt("delimiter", Varchar, "What separates its fields; null where it was not read as delimited text.", "", "comma"),
		opt("header_line", Bigint, "The line of the column names; null where there is none.", "", "9"),
		col("rows_read", Bigint, "Input rows, which is the sum of their dispositions; 0 where the file was not read.", "", "214"),
		col("rows_rejected", Bigint, "Input rows that were rejected; 0 where the file was not read.", "", "3"),
		col("status", Varchar, "Whether the file was read.", "", "read").of("read", "duplicate", "refused", "ignored"),
		opt("message", Varchar, "Why it was not read, or what to know about it; null where there is nothing to say.", "", "same bytes as Z00001/copy.csv"),
	)
}

func factFinding() Table {
	var names []string
	for _, c := range Findings() {
		names = append(names, c.Name)
	}
	return table("fact_finding", "practice (null if unknown) and finding",
		key("practice_code", Varchar, "The ODS code of the practice that the finding is about; null where it is not known, or no longer listed.", "R4", "Z00001").nullable(),
		key("check_name", Varchar, "The finding.", "", "assessment_without_segment").of(names...),
		col("severity", Varchar, "How much it matters.", "", "warning").of(Error, Warning, Info),
		col("affected", Bigint, "How many patients, rows or files it concerns.", "", "8"),
		col("message", Varchar, "What was found and how to mend it, in one line without any patient's data.", "", "8 assessed patients are in no segment; add the cohort code that applies"),
	)
}

// table adds the columns that every table ends with.
func table(name, grain string, columns ...Column) Table {
	return Table{Name: name, Grain: grain, Columns: append(columns, runColumns()...)}
}

// runColumns are the columns that say which run made a row.
func runColumns() []Column {
	return []Column{
		col("contract_year", Varchar, "The contract year, 1 April to 31 March.", "", "2026-27"),
		col("period", Varchar, "The period that was published: a month, or the contract year for the year end.", "", "2026-06"),
		col("as_at", Date, "The day that the extract was taken.", "R6", "2026-07-02"),
		col("run_id", Varchar, "The run that made the row.", "", "6f1d2c3b4a59"),
	}
}

func practiceCode() Column {
	return key("practice_code", Varchar, "The practice's ODS code.", "R4", "Z00001")
}

func month() Column {
	return key("month", Date, "The first day of the month.", "", "2026-06-01")
}

func col(name string, kind Type, meaning, rule, example string) Column {
	return Column{Name: name, Type: kind, Meaning: meaning, Rule: rule, Example: example}
}

func key(name string, kind Type, meaning, rule, example string) Column {
	c := col(name, kind, meaning, rule, example)
	c.Key = true
	return c
}

func opt(name string, kind Type, meaning, rule, example string) Column {
	return col(name, kind, meaning, rule, example).nullable()
}

func (c Column) nullable() Column {
	c.Nullable = true
	return c
}

func (c Column) of(values ...string) Column {
	c.Values = values
	return c
}

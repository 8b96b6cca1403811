package schema

// Dispositions lists what can become of an input row, in the order in which they are decided.
func Dispositions() []Disposition {
	return []Disposition{
		{"deleted_at_source", Ignored, "The bulk extract marks the patient or the observation as deleted.", ""},
		{"malformed_row", Rejected, "The row has too few fields, text right of the last named column, or broken quoting.", ""},
		{"practice_missing", Rejected, "Neither the row nor its file says which practice it belongs to.", "R4"},
		{"practice_unknown", Rejected, "The row's practice code is not in practices.csv for the contract year.", "R4"},
		{"patient_missing", Rejected, "The row has neither an NHS number nor an EMIS number.", "R5"},
		{"nhs_number_test_range", Rejected, "The row's NHS number is in the 999 test range and the workspace does not allow that.", "R1"},
		{"nhs_number_invalid", Rejected, "The row's NHS number is not valid and there is no EMIS number to fall back on.", "R1"},
		{"patient_ambiguous", Rejected, "The row has no valid NHS number and other rows pair its EMIS number with two.", "R5"},
		{"date_invalid", Rejected, "A registered, deducted, death or activity date has text that is no date.", "R3"},
		{"status_only", Ignored, "The row tells of a patient's registration and of no event.", ""},
		{"code_missing", Rejected, "The row has an activity date and no code.", "R2"},
		{"code_damaged", Rejected, "The code was shortened, usually by a spreadsheet, and cannot be told for certain.", "R2"},
		{"code_invalid", Rejected, "The code has the wrong length, partition or check digit for a SNOMED CT concept.", "R2"},
		{"claim_in_batch_add", Rejected, "The claim code stands in a batch-add file, which carries cohort and eligibility codes only.", ""},
		{"code_not_in_scope", Ignored, "The code is sound and the contract does not name it.", ""},
		{"date_missing", Rejected, "The activity date is blank in a row that needs one.", "R3"},
		{"date_in_future", Rejected, "The activity date is after the as-at date.", "R3"},
		{"outside_contract_year", Excluded, "The activity is before the contract year.", ""},
		{"after_period", Excluded, "The activity is after the cut-off.", "R6"},
		{"patient_deceased", Excluded, "The patient had died by the cut-off.", "R7"},
		{"patient_left", Excluded, "The patient had left the practice by the cut-off.", "R8"},
		{"patient_not_regular", Excluded, "The patient is not a regular patient of the practice.", "R9"},
		{"registered_elsewhere", Excluded, "The patient is registered at another practice, where their events count.", "R10"},
		{"duplicate", Excluded, "Another row of the same patient is kept in this row's place.", "R11, R12, R15"},
		{"not_chosen_by_place", Excluded, "The row adds the patient to a cohort that the practice's place did not choose.", "R13"},
		{"assessment", Kept, "The row is the patient's one assessment of the contract year.", "R11"},
		{"cohort", Kept, "The row puts the patient in a cohort that has a segment.", "R12"},
		{"eligibility", Kept, "The row is the patient's one eligibility code of the contract year.", "R12"},
		{"mdt", Kept, "The row is one multidisciplinary team event.", "R15"},
	}
}

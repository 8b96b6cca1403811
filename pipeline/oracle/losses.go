package oracle

import "slices"

// losses lists what the previous period had and this one has not.
func (d *decision) losses(out *Output) {
	now := map[place]Assessment{}
	for _, assessment := range out.Assessments {
		now[place{assessment.Patient, assessment.Practice}] = assessment
	}
	for _, previous := range d.in.Previous {
		who := d.nowKnownAs(previous.Patient)
		assessment, isThere := now[place{who, previous.Practice}]
		if isThere && who == previous.Patient && (assessment.IsCounted || !previous.Counted) {
			continue
		}
		loss := Loss{Patient: previous.Patient, Practice: previous.Practice, WasCounted: previous.Counted}
		if home := d.home[who]; home != previous.Practice && !d.deceased[who] {
			loss.Now = home
		}
		loss.Reason = d.whyPatient(who, previous.Practice)
		if loss.Reason == "" && isThere {
			loss.Reason = d.whyNotCounted(assessment, previous)
		}
		if loss.Reason == "" {
			loss.Reason = d.whyNoClaim(who, previous.Practice)
		}
		out.Losses = append(out.Losses, loss)
	}
}

// nowKnownAs is the NHS number that an EMIS number is paired with now (R5), where the patient was
// known by that alone.
func (d *decision) nowKnownAs(patient string) string {
	for emis, paired := range d.pairs {
		if emis.identity() != patient || len(paired) != 1 {
			continue
		}
		for nhs := range paired {
			return nhs
		}
	}
	return patient
}

// whyPatient says what is different about the practice or the patient, "" for nothing.
func (d *decision) whyPatient(who, practice string) string {
	stands := d.standing[place{who, practice}]
	if stands == nil {
		stands = &standing{}
	}
	switch {
	case !d.isListed(practice):
		return "practice not listed"
	case !d.isSupplied(practice):
		return "practice sent nothing"
	case d.deceased[who]:
		return "patient died"
	case stands.left:
		return "patient left"
	case stands.notRegular && d.in.Contract.RequireRegular:
		return "patient no longer regular"
	case d.home[who] != "" && d.home[who] != practice:
		return "patient registered elsewhere"
	}
	return ""
}

// whyNotCounted says why an assessment that is there is not the one that there was.
func (d *decision) whyNotCounted(now Assessment, previous Previous) string {
	switch {
	case now.IsCounted, !previous.Counted:
		return "patient known by NHS number now"
	case len(now.Segments) == 0 && !d.in.Contract.CountWithoutSegment:
		return "patient in no segment"
	}
	return "no eligibility code"
}

// whyNoClaim says what became of the patient's claims at the practice, of which none is kept.
func (d *decision) whyNoClaim(who, practice string) string {
	met := map[string]bool{}
	for i, row := range d.in.Rows {
		if d.patients[i] == who && row.Practice == practice && d.role(row) == "claim" {
			met[d.dispositions[i]] = true
		}
	}
	switch {
	case met["after_period"], met["date_in_future"]:
		return "claim dated after the cut-off"
	case met["outside_contract_year"]:
		return "claim dated before the contract year"
	case met["date_invalid"], met["date_missing"], met["claim_in_batch_add"]:
		return "claim rejected"
	}
	return "claim gone from the export"
}

func (d *decision) isListed(practice string) bool {
	return slices.ContainsFunc(d.in.Practices, func(known Practice) bool { return known.Code == practice })
}

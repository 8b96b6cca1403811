package oracle

import (
	"fmt"
	"os"
	"testing"
)

func TestDump(t *testing.T) {
	var seed uint64
	var r int
	fmt.Sscanf(os.Getenv("DUMP"), "%d-%d", &seed, &r)
	made := Generate(seed)
	ins, outs := made.Decide()
	in, out := ins[r], outs[r]
	fmt.Println(made.Runs[r].Period, "asat", in.AsAt, "cutoff", in.CutOff(), "policies", in.Contract.RequireRegular, in.Contract.CountWithoutSegment, in.Contract.RequireEligibility)
	for _, p := range in.Practices {
		fmt.Printf("%+v\n", p)
	}
	for i, f := range in.Files {
		fmt.Printf("FILE %d %+v\n", i, f)
	}
	for i, row := range in.Rows {
		fmt.Printf("%d:%d.%d %s/%d nhs%d %s emis %s code%d %s act %d %s rec %d %s type%d st%d reg %d %s ded %d %s dth %d %s => %s [%s]\n", row.File, row.Line, row.Event, row.Practice, row.PracticeState, row.NHSState, row.NHS, row.EMIS, row.CodeState, row.Code,
			row.Activity.State, Day(row.Activity.Day), row.Recorded.State, Day(row.Recorded.Day), row.Type, row.Status, row.Registered.State, Day(row.Registered.Day), row.Deducted.State, Day(row.Deducted.Day), row.Death.State, Day(row.Death.Day), out.Dispositions[i], out.Patients[i])
	}
	for _, m := range out.CohortPatients {
		fmt.Printf("%+v\n", m)
	}
}

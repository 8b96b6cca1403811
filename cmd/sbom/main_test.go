package main

import (
	"bytes"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
)

func sound() build {
	return build{
		info: &debug.BuildInfo{
			GoVersion: "go1.26.8",
			Main:      debug.Module{Path: "ltcles"},
			Deps: []*debug.Module{
				{Path: bindings + "linux-amd64", Version: "v0.1.21"},
				{Path: "example.org/Two", Version: "v2.0.0"},
				{Path: "example.org/Two/part", Version: "v1.0.0"},
			},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-07-05T07:00:00Z"}, {Key: "-ldflags", Value: "x"}},
		},
		program:  file{"ltcles", strings.Repeat("1", 64)},
		versions: map[string]string{"ltcles": "0.1.0", "duckdb": "v1.4.1"},
		archives: []file{{"libduckdb_static.a", strings.Repeat("2", 64)}},
		licences: []licence{
			{"ltcles", "Apache-2.0"}, {bindings + "linux-amd64", "MIT"},
			{"example.org/Two/inner", "MIT"}, {"example.org/Two", "BSD-3-Clause"}, {"example.org/Two/part/deep", "Apache-2.0"},
		},
	}
}

func TestBOM(t *testing.T) {
	bom, err := sound().bom()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, component := range *bom.Components {
		var licences []string
		for _, choice := range *component.Licenses {
			licences = append(licences, choice.License.ID)
		}
		got = append(got, component.PackageURL+" "+strings.Join(licences, "+"))
	}
	want := []string{
		"pkg:generic/liberation-fonts@2.1.4 OFL-1.1",
		"pkg:github/duckdb/duckdb@v1.4.1 MIT",
		"pkg:golang/example.org/two/part@v1.0.0 Apache-2.0",
		"pkg:golang/example.org/two@v2.0.0 BSD-3-Clause+MIT",
		"pkg:golang/github.com/duckdb/duckdb-go-bindings/linux-amd64@v0.1.21 MIT",
		"pkg:golang/std@1.26.8 BSD-3-Clause",
		"pkg:npm/chart.js@4.6.1 MIT",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("components\n%s\nexpected\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	engine := (*bom.Components)[1]
	if parts := *engine.Components; engine.Version != "1.4.1" || len(parts) != 1 || parts[0].Name != "libduckdb_static.a" || (*parts[0].Hashes)[0].Value != strings.Repeat("2", 64) {
		t.Errorf("engine %+v", engine)
	}
	if bom.Metadata.Timestamp != "2026-07-05T07:00:00Z" || bom.Metadata.Component.Version != "0.1.0" {
		t.Errorf("metadata %+v", bom.Metadata)
	}
	var texts [2]bytes.Buffer
	for i := range texts {
		again, err := sound().bom()
		if err != nil {
			t.Fatal(err)
		}
		if err := cyclonedx.NewBOMEncoder(&texts[i], cyclonedx.BOMFileFormatJSON).Encode(again); err != nil {
			t.Fatal(err)
		}
	}
	if texts[0].String() != texts[1].String() {
		t.Error("two lists of one program differ")
	}
}

func TestBOMRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(*build)
		want  string
	}{
		"no licence":      {func(b *build) { b.licences = b.licences[:2] }, "module example.org/Two has no licence"},
		"unknown licence": {func(b *build) { b.licences[3].spdx = "Unknown" }, "module example.org/Two has no licence"},
		"no engine":       {func(b *build) { delete(b.versions, "duckdb") }, "which DuckDB"},
	} {
		made := sound()
		tt.spoil(&made)
		if _, err := made.bom(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; expected %q", name, err, tt.want)
		}
	}
}

func TestReadLicences(t *testing.T) {
	got, err := readLicences(strings.NewReader("example.org/a,https://example.org/a/LICENSE,MIT\n"))
	if err != nil || len(got) != 1 || got[0] != (licence{"example.org/a", "MIT"}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := readLicences(strings.NewReader("example.org/a,MIT\n")); err == nil {
		t.Error("a report with two columns was read")
	}
}

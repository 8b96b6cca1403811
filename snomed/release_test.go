package snomed

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// A made-up release: two codes of the LTC LES and what is around them, in the form of the real files.
const (
	active    = "756261000000100"
	replaced  = "417206009"
	successor = "990001000000107"
	older     = "990002000000109"
	absent    = "268511007"
	gb        = "900000000000508004"
	nhs       = "999001261000000100"
)

// file is a file of a kind with rows whose fields are separated by |.
func file(k kind, rows ...string) string {
	var text strings.Builder
	text.WriteString(strings.Join(k.columns(), "\t") + "\r\n")
	for _, row := range rows {
		text.WriteString(strings.ReplaceAll(row, "|", "\t") + "\r\n")
	}
	return text.String()
}

func release() map[string]string {
	return map[string]string{
		"Snapshot/Terminology/sct2_Concept_UKCLSnapshot_GB1000000_20260401.txt": file(concepts,
			active+"|20240401|1|999000011000000103|900000000000074008",
			replaced+"|20250401|0|999000011000000103|900000000000074008",
			successor+"|20260401|1|999000011000000103|900000000000074008",
			older+"|20200401|0|999000011000000103|900000000000074008",
		),
		"Snapshot/Terminology/sct2_Description_UKCLSnapshot-en_GB1000000_20260401.txt": file(descriptions,
			"11|20240401|1|1|"+active+"|en|900000000000003001|Well-being assessment reviewed (situation)|900000000000448009",
			"12|20240401|1|1|"+active+"|en|900000000000013009|Wellbeing review|900000000000448009",
			"13|20240401|1|1|"+active+"|en|900000000000013009|Well-being \"assessment\" reviewed, Zoë|900000000000448009",
			"14|20200401|0|1|"+active+"|en|900000000000013009|Health check|900000000000448009",
			"21|20240401|1|1|"+replaced+"|en|900000000000003001|Cardiovascular disease monitoring (regime/therapy)|900000000000448009",
			"31|20260401|1|1|"+successor+"|en|900000000000003001|Monitoring of heart disease (procedure)|900000000000448009",
			"41|20260401|1|1|900000000000483008|en|900000000000013009|Outdated|900000000000448009",
		),
		"Snapshot/Refset/Content/der2_cRefset_AssociationUKCLSnapshot_GB1000000_20260401.txt": file(associations,
			"a1|20250401|1|1|900000000000526001|"+replaced+"|"+successor,
			"a2|20250401|1|1|900000000000523009|"+replaced+"|"+older,
			"a3|20250401|0|1|900000000000527005|"+replaced+"|"+active,
			"a4|20250401|1|1|900000000000525002|"+replaced+"|"+active,
			"a5|20250401|1|1|900000000000526001|"+absent+"|"+active,
		),
		"Snapshot/Refset/Content/der2_cRefset_AttributeValueUKCLSnapshot_GB1000000_20260401.txt": file(reasons,
			"v1|20250401|1|1|900000000000489007|"+replaced+"|900000000000483008",
			"v2|20250401|1|1|900000000000490003|"+replaced+"|900000000000482003",
		),
		"Snapshot/Refset/Language/der2_cRefset_LanguageUKCLSnapshot-en_GB1000000_20260401.txt": file(languages,
			"l1|20240401|1|1|"+gb+"|12|900000000000548007",
			"l2|20240401|1|1|"+nhs+"|13|900000000000548007",
			"l3|20240401|1|1|"+nhs+"|12|900000000000549004",
		),
	}
}

func wantedRelease() map[Code]Concept {
	return map[Code]Concept{
		active: {Active: true, EffectiveTime: "20240401", Module: "999000011000000103",
			Preferred: "Well-being \"assessment\" reviewed, Zoë", FullySpecified: "Well-being assessment reviewed (situation)"},
		replaced: {EffectiveTime: "20250401", Module: "999000011000000103", FullySpecified: "Cardiovascular disease monitoring (regime/therapy)",
			Reason: "900000000000483008", Replacements: []Replacement{
				{"POSSIBLY EQUIVALENT TO", older, "", false},
				{"REPLACED BY", successor, "Monitoring of heart disease (procedure)", true},
			}},
	}
}

func TestReadRelease(t *testing.T) {
	full := map[string]string{}
	for name, text := range release() {
		full[strings.ReplaceAll(name, "Snapshot", "Full")] = text
	}
	// What was: a full file has every state of a component, in any order.
	was := "Full/Terminology/sct2_Concept_UKCLFull_GB1000000_20260401.txt"
	full[was] += strings.ReplaceAll(replaced+"|20020131|1|900000000000207008|900000000000074008\r\n"+active+"|20150401|0|900000000000207008|900000000000074008\r\n", "|", "\t")
	full["Full/Refset/Language/der2_cRefset_LanguageUKCLFull-en_GB1000000_20260401.txt"] += strings.ReplaceAll("l3|20200401|1|1|"+nhs+"|12|900000000000548007\r\n", "|", "\t")

	both := release()
	for name := range full {
		both[name] = "not read: there is a snapshot"
	}
	editions := release() // an older edition beside it, and rows twice
	editions["International/sct2_Concept_Snapshot_INT_20250101.txt"] = file(concepts, replaced+"|20020131|1|900000000000207008|900000000000074008", active+"|20240401|1|999000011000000103|900000000000074008")
	editions["International/sct2_Description_Snapshot-en_INT_20250101.txt"] = file(descriptions, "21|20020131|1|1|"+replaced+"|en|900000000000003001|Heart monitoring (procedure)|900000000000448009")
	editions["International/der2_cRefset_AttributeValueSnapshot_INT_20250101.txt"] = file(reasons, // other members, older or of the same day
		"v3|20240401|1|1|900000000000489007|"+replaced+"|900000000000482003",
		"v4|20240401|1|1|900000000000489007|"+replaced+"|900000000000484002",
		"v5|20250401|1|1|900000000000489007|"+replaced+"|900000000000485001",
		"v6|20250401|1|1|900000000000489007|"+replaced+"|900000000000486000",
	)
	noise := release()
	noise["Readme_en_20260401.txt"] = "read me"
	noise["Snapshot/Terminology/sct2_Relationship_Snapshot_INT_20260101.txt"] = "not read"
	noise["Delta/Terminology/sct2_Concept_Delta_INT_20260101.txt"] = "not read"
	lf := map[string]string{}
	for name, text := range release() {
		lf[filepath.Dir(name)+"/x"+filepath.Base(name)] = "\ufeff" + strings.ReplaceAll(text, "\r\n", "\n") + "\n"
	}
	for name, files := range map[string]map[string]string{
		"snapshot": release(), "full": full, "both": both, "editions": editions, "other files": noise,
		"lines that end in LF, not final, with a byte-order mark": lf,
	} {
		for _, zipped := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %v", name, zipped), func(t *testing.T) {
				dir := folderOf(t, files, zipped)
				got, err := ReadRelease(context.Background(), dir, []Code{active, replaced, absent})
				if err != nil {
					t.Fatal(err)
				}
				want := wantedRelease()
				for code, c := range got.Concepts {
					c.terms = nil
					if !reflect.DeepEqual(c, want[code]) {
						t.Errorf("%s is %+v; expected %+v", code, c, want[code])
					}
				}
				if len(got.Concepts) != len(want) || got.Newest != "20260401" || got.Lacks != nil {
					t.Errorf("%d concepts, newest %s, lacks %v", len(got.Concepts), got.Newest, got.Lacks)
				}
				files := 5
				if name == "editions" {
					files = 8
				}
				if len(got.Files) != files {
					t.Errorf("read %v", got.Files)
				}
			})
		}
	}
}

func TestReadReleaseWithoutReasonsAndLanguages(t *testing.T) {
	files := release()
	for name := range files {
		if strings.Contains(name, "Language") || strings.Contains(name, "AttributeValue") {
			delete(files, name)
		}
	}
	got, err := ReadRelease(context.Background(), folderOf(t, files, false), []Code{active, replaced})
	if err != nil {
		t.Fatal(err)
	}
	c := got.Concepts[active]
	if c.Preferred != "" || c.FullySpecified == "" || got.Concepts[replaced].Reason != "" || len(got.Lacks) != 2 {
		t.Errorf("preferred %q, fully specified %q, reason %q, lacks %v", c.Preferred, c.FullySpecified, got.Concepts[replaced].Reason, got.Lacks)
	}
	if is := c.Agrees("Wellbeing review"); is != IsSynonym {
		t.Errorf("a synonym is %s", is)
	}
}

func TestAgrees(t *testing.T) {
	got, err := ReadRelease(context.Background(), folderOf(t, release(), false), []Code{active, replaced})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]Agreement{
		"well-being  \"Assessment\" reviewed, ZOË":   IsPreferred,
		"Wellbeing review":                           IsSynonym,
		"Well-being assessment reviewed (situation)": IsFullySpecified,
		"Well-being assessment reviewed":             IsFullySpecified,
		"Health check":                               IsInactive,
		"Cardiovascular disease monitoring":          IsNone,
		"":                                           IsNone,
	} {
		if is := got.Concepts[active].Agrees(text); is != want {
			t.Errorf("%q is %s; expected %s", text, is, want)
		}
	}
	if is := got.Concepts[replaced].Agrees("Cardiovascular disease monitoring"); is != IsFullySpecified {
		t.Errorf("a term of an inactive concept is %s", is)
	}
}

func TestReadReleaseRefuses(t *testing.T) {
	name := "Snapshot/Terminology/sct2_Concept_UKCLSnapshot_GB1000000_20260401.txt"
	terms := "Snapshot/Terminology/sct2_Description_UKCLSnapshot-en_GB1000000_20260401.txt"
	for _, tt := range []struct {
		name, file string
		change     func(string) string
		want       string
	}{
		{"another header", name, func(text string) string { return strings.Replace(text, "moduleId", "module", 1) },
			name + `:1: the header "id\teffectiveTime\tactive\tmodule\tdefinitionStatusId"; expected id effectiveTime active moduleId definitionStatusId, with tabs between them`},
		{"commas", name, func(text string) string { return strings.ReplaceAll(text, "\t", ",") }, name + `:1: the header "id,effective`},
		{"an empty file", name, func(string) string { return "" }, name + ":1: an empty file; expected the header id "},
		{"a row cut short", name, func(text string) string { return text[:len(text)-25] }, name + ":5: 4 fields; expected 5"},
		{"a row with more", name, func(text string) string { return text + "1\t2\t3\t4\t5\t6\r\n" }, name + ":6: 6 fields; expected 5"},
		{"a time that is none", name, func(text string) string { return strings.Replace(text, "20240401", "2024-04-01", 1) },
			name + `:2: effectiveTime "2024-04-01"; expected yyyymmdd`},
		{"active that is neither", name, func(text string) string { return strings.Replace(text, "\t1\t", "\ttrue\t", 1) },
			name + `:2: active "true"; expected 0 or 1`},
		{"Windows-1252", terms, func(text string) string { return strings.Replace(text, "ë", "\xeb", 1) }, terms + ":4: text that is not UTF-8; expected UTF-8"},
		{"a line without end", terms, func(text string) string { return text + strings.Repeat("x", 1<<20) }, terms + ":9: a line of more than 1 MB; expected one row on each line"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := release()
			files[tt.file] = tt.change(files[tt.file])
			dir := folderOf(t, files, false)
			_, err := ReadRelease(context.Background(), dir, []Code{active})
			var format FormatError
			if !errors.As(err, &format) {
				t.Fatalf("%v is no FormatError", err)
			}
			if got := strings.TrimPrefix(format.Error(), dir+string(filepath.Separator)); !strings.HasPrefix(filepath.ToSlash(got), tt.want) {
				t.Errorf("said %s; expected %s", got, tt.want)
			}
		})
	}
	t.Run("a long line that is a row", func(t *testing.T) {
		files := release()
		files[terms] += strings.ReplaceAll("99|20240401|1|1|"+active+"|en|900000000000013009|"+strings.Repeat("long ", 150_000)+"|900000000000448009\r\n", "|", "\t")
		got, err := ReadRelease(context.Background(), folderOf(t, files, false), []Code{active})
		if err != nil || got.Concepts[active].Agrees(strings.Repeat("long ", 150_000)) != IsSynonym {
			t.Errorf("%v", err)
		}
	})
	t.Run("files that are not there", func(t *testing.T) {
		for part, want := range map[string]string{
			"sct2_Concept":         "no file named sct2_Concept_*Snapshot*.txt or sct2_Concept_*Full*.txt among 4 files; expected",
			"sct2_Description":     "no file named sct2_Description_*Snapshot*.txt or sct2_Description_*Full*.txt among 4 files; expected",
			"der2_cRefset_Associa": "no file named der2_cRefset_Association*Snapshot*.txt or der2_cRefset_Association*Full*.txt among 4 files; expected",
		} {
			files := release()
			for name := range files {
				if strings.Contains(name, part) {
					delete(files, name)
				}
			}
			_, err := ReadRelease(context.Background(), folderOf(t, files, false), []Code{active})
			var missing MissingFilesError
			if !errors.As(err, &missing) || !strings.Contains(err.Error(), want) {
				t.Errorf("%v; expected %s", err, want)
			}
		}
		delta := map[string]string{"sct2_Concept_Delta_INT_20260101.txt": "", "der2_cRefset_AssociationSnapshot_INT_20260101.txt": ""}
		if _, err := ReadRelease(context.Background(), folderOf(t, delta, false), nil); err == nil || !strings.Contains(err.Error(), "(a delta tells what changed, and not what is)") {
			t.Errorf("%v", err)
		}
		if _, err := ReadRelease(context.Background(), filepath.Join(t.TempDir(), "nowhere"), nil); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v", err)
		}
	})
	t.Run("an archive that is none", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "release.zip"), []byte("no archive"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRelease(context.Background(), dir, nil); !errors.Is(err, zip.ErrFormat) {
			t.Errorf("%v", err)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		files := release()
		files[name] += strings.Repeat("1\t20240401\t1\t2\t3\r\n", 100_000)
		ctx, stop := context.WithCancel(context.Background())
		stop()
		if _, err := ReadRelease(ctx, folderOf(t, files, false), nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// The concepts of SNOMED CT's own model that files are read by are concept ids.
func TestModelConceptsAreSound(t *testing.T) {
	ids := []string{synonym, fullySpecified, isPreferredIn, inactivationRefset, gb, nhs, "900000000000509007"}
	for refset := 523009; refset <= 530003; refset++ {
		if id := fmt.Sprintf("900000000000%06d", refset); associationName(id) != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) != 15 {
		t.Errorf("%d ids; expected 15", len(ids))
	}
	for _, id := range ids {
		if _, err := Parse(id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// folderOf writes files into a folder, or into one archive in it.
func folderOf(t *testing.T, files map[string]string, zipped bool) string {
	t.Helper()
	dir := t.TempDir()
	if zipped {
		var data bytes.Buffer
		archive := zip.NewWriter(&data)
		for name, text := range files {
			member, err := archive.Create("SnomedCT_UKClinicalRF2/" + name)
			if err == nil {
				_, err = member.Write([]byte(text))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(archive.Close(), os.WriteFile(filepath.Join(dir, "uk_sct2cl.zip"), data.Bytes(), 0o644)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

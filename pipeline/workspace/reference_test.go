package workspace

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"ltcles/pipeline/config"
)

const (
	practiceHeader = "contract_year,practice_code,practice_name,place,pcn_code,pcn_name,registered_population,weighted_population,annual_target\n"
	soundPractice  = "2026-27,Z99001,First,Blackpool,U1,PCN,1000,1100.5,40\n"
	soundPlaces    = "contract_year,place,choice\n2026-27,Blackpool,diabetes\n"
)

func reference(t *testing.T, practices, places string) (*Reference, error) {
	t.Helper()
	w := &Workspace{Dir: t.TempDir()}
	if err := os.Mkdir(filepath.Join(w.Dir, "reference"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{practicesFile: practices, placesFile: places} {
		if text == "absent" {
			continue
		}
		if err := os.WriteFile(filepath.Join(w.Dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return w.Reference("2026-27")
}

func TestReference(t *testing.T) {
	number := func(n int64) *int64 { return &n }
	// As a spreadsheet saves it: a byte order mark, CRLF, an empty row, a column of the keeper's own.
	got, err := reference(t,
		"\ufeffnote,Contract_Year,practice_code,practice_name,place,pcn_code,pcn_name,registered_population,weighted_population,annual_target,\r\n"+
			"x,2026-27,z99002 ,\"Second, and Sons\",Fylde & Wyre,,,,,,\r\n"+
			",,,,,,,,,,\r\n"+
			",2025-26,Z99001,Old name,Nowhere,U1,PCN,x,y,z,\r\n"+
			",2026-27,Z99001,First,Blackpool,u1,PCN,1000,1100.50,0,\r\n",
		"contract_year,place,choice\n2025-26,Blackpool,frailty\n2026-27,Blackpool,Diabetes\n2026-27,Fylde & Wyre,\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []Practice{
		{Code: "Z99001", Name: "First", Place: "Blackpool", PCNCode: "U1", PCNName: "PCN",
			RegisteredPopulation: number(1000), WeightedPopulation: "1100.5", AnnualTarget: number(0)},
		{Code: "Z99002", Name: "Second, and Sons", Place: "Fylde & Wyre"},
	}
	if !reflect.DeepEqual(got.Practices, want) {
		t.Errorf("practices %+v", got.Practices)
	}
	if !reflect.DeepEqual(got.Choices, map[string]string{"Blackpool": "diabetes", "Fylde & Wyre": ""}) {
		t.Errorf("choices %v", got.Choices)
	}
	if len(got.Files) != 2 || got.Files[0].Path != "reference/practices.csv" || len(got.Files[0].SHA256) != 64 || got.Files[1].Path != "reference/places.csv" {
		t.Errorf("files %+v", got.Files)
	}
}

func TestReferenceProblems(t *testing.T) {
	practice := func(line string) string { return practiceHeader + soundPractice + line + "\n" }
	tests := []struct {
		name, practices, places, want string
	}{
		{"no practices", "absent", soundPlaces, "reference/practices.csv: no such file; expected a CSV with the columns contract_year,"},
		{"no places", practiceHeader, "absent", "reference/places.csv: no such file; "},
		{"empty file", "", soundPlaces, "reference/practices.csv:1: an empty file; "},
		{"column missing", strings.Replace(practiceHeader, "annual_target", "anual_target", 1) + soundPractice, soundPlaces, "reference/practices.csv:1: no column annual_target; "},
		{"column twice", "place," + practiceHeader + "," + soundPractice, soundPlaces, "reference/practices.csv:1: column place is there twice; "},
		{"semicolons", strings.ReplaceAll(practiceHeader+soundPractice, ",", ";"), soundPlaces, "reference/practices.csv:1: none of the columns; "},
		{"other encoding", practice("2026-27,Z99002,Caf\xe9,Blackpool,,,,,"), soundPlaces, "reference/practices.csv:3: a character that is not UTF-8; "},
		{"open quote", practice(`2026-27,Z99002,"Open,Blackpool,,,,,`), soundPlaces, "reference/practices.csv:3: broken quoting; "},
		{"comma in a name", practice("2026-27,Z99002,Second, and Sons,Blackpool,,,,,1"), soundPlaces, "reference/practices.csv:3: 10 fields; expected 9, as the header has; "},
		{"short line", practice("2026-27,Z99002,Second,Blackpool"), soundPlaces, "reference/practices.csv:3: 4 fields; expected 9, "},
		{"year", practice("2026,Z99002,Second,Blackpool,,,,,"), soundPlaces, `reference/practices.csv:3: contract_year "2026"; `},
		{"practice twice", practice("2026-27,z99001,Second,Blackpool,,,,,"), soundPlaces, "reference/practices.csv:3: practice Z99001 is already on line 2 for 2026-27; "},
		{"practice code", practice("2026-27,Z99-2,Second,Blackpool,,,,,"), soundPlaces, `reference/practices.csv:3: practice_code "Z99-2"; `},
		{"place", practice("2026-27,Z99002,Second,Blackpol,,,,,"), soundPlaces, `reference/practices.csv:3: place "Blackpol" is not in reference/places.csv for 2026-27; expected one of Blackpool; `},
		{"target", practice("2026-27,Z99002,Second,Blackpool,,,,,40.5"), soundPlaces, `reference/practices.csv:3: annual_target "40.5"; expected a whole number below 1,000,000,000, or blank; `},
		{"negative target", practice("2026-27,Z99002,Second,Blackpool,,,,,-4"), soundPlaces, `reference/practices.csv:3: annual_target "-4"; `},
		{"population", practice(`2026-27,Z99002,Second,Blackpool,,,"1,000",,`), soundPlaces, `reference/practices.csv:3: registered_population "1,000"; `},
		{"weighted population", practice("2026-27,Z99002,Second,Blackpool,,,,1.2E+4,"), soundPlaces, `reference/practices.csv:3: weighted_population "1.2E+4"; `},
		{"a population of 18 digits", practice("2026-27,Z99002,Second,Blackpool,,,,12.3456789012345678,"), soundPlaces, `reference/practices.csv:3: weighted_population "12.3456789012345678"; expected a plain number below 1,000,000,000 such as 12742.61, of at most 17 digits, or blank; `},
		{"no practice of the year", practiceHeader + strings.Replace(soundPractice, "2026-27", "2025-26", 1), soundPlaces, "reference/practices.csv: no practice for 2026-27; "},
		{"no place of the year", practiceHeader + soundPractice, "contract_year,place,choice\n", "reference/places.csv: no place for 2026-27; "},
		{"choice", practiceHeader + soundPractice, "contract_year,place,choice\n2026-27,Blackpool,asthma\n", `reference/places.csv:2: choice "asthma"; expected diabetes, frailty, or blank while undecided; `},
		{"place twice", practiceHeader + soundPractice, soundPlaces + "2026-27,Blackpool,frailty\n", `reference/places.csv:3: place "Blackpool" is already on line 2 for 2026-27; `},
		{"blank place", practiceHeader + soundPractice, soundPlaces + "2026-27,,frailty\n", "reference/places.csv:3: place is blank; "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := reference(t, tt.practices, tt.places)
			if problem := new(config.Problem); !errors.As(err, &problem) {
				t.Fatalf("%v is not a configuration problem", err)
			}
			lines := strings.Split(err.Error(), "\n")
			if !strings.HasPrefix(lines[0], tt.want) || len(lines) > 1 {
				t.Errorf("%v\nwant %s", err, tt.want)
			}
		})
	}
}

// One reading shows what is wrong in both lists.
func TestReferenceShowsEveryProblem(t *testing.T) {
	_, err := reference(t, practiceHeader+"2026-27,Z99001,First,Blackpool,,,x,y,z\n2026-27,Z99001,,Nowhere,,,,,\n", "contract_year,place,choice\n2026-27,Blackpool,asthma\n")
	if err == nil || len(strings.Split(err.Error(), "\n")) != 6 {
		t.Errorf("want six lines:\n%v", err)
	}
}

package snomed

// Code is a concept identifier that passed Parse.
type Code string

// Problem says why a text is no concept identifier. It is an error, compared with == or
// errors.Is, and never holds the text, which may come from a patient's row.
type Problem uint8

const (
	NotDigits      Problem = iota + 1 // empty, or holds something other than 0 to 9
	Length                            // fewer than 6 digits or more than 18
	LeadingZero                       // the first digit is 0
	DescriptionID                     // partition 01 or 11
	RelationshipID                    // partition 02 or 12
	Partition                         // any other partition than 00 or 10
	CheckDigit                        // the last digit is not the Verhoeff digit of the others
)

const (
	shortest = 6
	longest  = 18
)

// Parse accepts the exact digits of a concept identifier. Its error is a Problem: the first
// that applies, in the order of the constants.
func Parse(text string) (Code, error) {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return "", NotDigits
		}
	}
	switch {
	case text == "":
		return "", NotDigits
	case len(text) < shortest || len(text) > longest:
		return "", Length
	case text[0] == '0':
		return "", LeadingZero
	}
	switch text[len(text)-3 : len(text)-1] {
	case "00", "10":
	case "01", "11":
		return "", DescriptionID
	case "02", "12":
		return "", RelationshipID
	default:
		return "", Partition
	}
	if !VerhoeffValid(text) {
		return "", CheckDigit
	}
	return Code(text), nil
}

func (p Problem) Error() string {
	switch p {
	case NotDigits:
		return "not digits only"
	case Length:
		return "not 6 to 18 digits long"
	case LeadingZero:
		return "starts with 0"
	case DescriptionID:
		return "identifies a description (a term), not a concept"
	case RelationshipID:
		return "identifies a relationship, not a concept"
	case Partition:
		return "has a partition that is not a concept's"
	case CheckDigit:
		return "check digit does not match"
	}
	return "no problem"
}

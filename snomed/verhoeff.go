package snomed

// Verhoeff's check digit works in the dihedral group of order 10: product is its multiplication
// table, permuted the permutation of a digit by its position from the right, inverse the inverse.
var (
	product = [10][10]byte{
		{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
		{1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
		{2, 3, 4, 0, 1, 7, 8, 9, 5, 6},
		{3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
		{4, 0, 1, 2, 3, 9, 5, 6, 7, 8},
		{5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
		{6, 5, 9, 8, 7, 1, 0, 4, 3, 2},
		{7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
		{8, 7, 6, 5, 9, 3, 2, 1, 0, 4},
		{9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
	}
	permuted = [8][10]byte{
		{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
		{1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
		{5, 8, 0, 3, 7, 9, 6, 1, 4, 2},
		{8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
		{9, 4, 5, 3, 1, 2, 6, 8, 7, 0},
		{4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
		{2, 7, 9, 3, 8, 0, 6, 4, 1, 5},
		{7, 0, 4, 6, 9, 1, 3, 2, 5, 8},
	}
	inverse = [10]byte{0, 4, 3, 2, 1, 5, 6, 7, 8, 9}
)

// VerhoeffValid says whether the last digit is the check digit of those before it. Anything but
// digits, and nothing at all, is not valid.
func VerhoeffValid(digits string) bool {
	sum, ok := verhoeff(digits, 0)
	return ok && sum == 0
}

// VerhoeffDigit is the check digit, '0' to '9', to write after the digits; false where they are
// not digits or there are none.
func VerhoeffDigit(digits string) (byte, bool) {
	sum, ok := verhoeff(digits, 1)
	return '0' + inverse[sum], ok
}

// verhoeff folds the digits from the right, the rightmost standing at the given position.
func verhoeff(digits string, position int) (byte, bool) {
	sum := byte(0)
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
		sum = product[sum][permuted[position%8][digits[i]-'0']]
		position++
	}
	return sum, digits != ""
}

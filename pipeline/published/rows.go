package published

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"ltcles/pipeline/duck"
	"ltcles/pipeline/schema"
)

// Pence is an amount of money in whole pence.
type Pence int64

// Pounds writes an amount as £1,234.56, a negative one as −£1,234.56.
func (p Pence) Pounds() string {
	sign, pence := "", int64(p)
	if pence < 0 {
		sign, pence = "−", -pence
	}
	return fmt.Sprintf("%s£%s.%02d", sign, Grouped(pence/100), pence%100)
}

// Grouped writes a whole number with a comma between thousands.
func Grouped(n int64) string {
	digits := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}

// PercentOf writes a part of a whole with one decimal, cut off rather than rounded: what falls
// short of 80 % never reads as 80.0 %. The whole is more than 0.
func PercentOf(part, whole int64) string {
	tenths := part * 1000 / whole
	return fmt.Sprintf("%s.%d\u00a0%%", Grouped(tenths/10), tenths%10)
}

// Scan reads a column of money.
func (p *Pence) Scan(value any) error {
	amount, ok := duck.Pence(value)
	if !ok {
		return fmt.Errorf("found %T, expected an amount of money", value)
	}
	*p = Pence(amount)
	return nil
}

// rows reads the columns that the fields of T name, of every row of a table, in the order of its
// key. A field whose column may be null is a pointer.
func rows[T any](ctx context.Context, r *Reader, table string) ([]T, error) {
	definition, ok := schema.Lookup(table)
	if !ok {
		return nil, fmt.Errorf("read %s: no such table", table)
	}
	fields := reflect.VisibleFields(reflect.TypeFor[T]())
	var columns []string
	var named [][]int
	for _, field := range fields {
		if column := field.Tag.Get("column"); column != "" {
			columns, named = append(columns, column), append(named, field.Index)
		}
	}
	query := fmt.Sprintf("select %s from %s order by %s", strings.Join(columns, ", "), table, strings.Join(definition.SortKey(), ", "))
	var all []T
	err := r.Query(ctx, query, func(scan func(into ...any) error) error {
		row := reflect.New(reflect.TypeFor[T]())
		into := make([]any, len(named))
		for i, index := range named {
			into[i] = row.Elem().FieldByIndex(index).Addr().Interface()
		}
		if err := scan(into...); err != nil {
			return err
		}
		all = append(all, row.Elem().Interface().(T))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", table, err)
	}
	return all, nil
}

package oracle

import (
	"fmt"
	"os"
	"testing"
)

func TestInbox(t *testing.T) {
	var seed uint64
	var r int
	fmt.Sscanf(os.Getenv("DUMP"), "%d-%d", &seed, &r)
	for n, x := range Generate(seed).Runs[r].Inbox {
		fmt.Printf("--- %s\n%s", n, x)
	}
}

// Package snapshot publishes tables as one immutable whole and reads them back. It knows files,
// links, hashes and the shape and sums of the published tables; it refuses to know how a figure
// is computed, and never opens an input.
//
//	published/
//	  snapshots/<run_id>/            complete and never changed again
//	    <table>.parquet              of each contract year, the rows of its latest period
//	    history/<table>/<period>.parquet
//	    manifest.json                what is there, with rows, bytes and SHA-256
//	  snapshots/.draft-*             a run that is writing, or was killed
//	  current -> snapshots/<run_id>  the commit
//	  .next                          the snapshot that is about to become current
//
// Commit writes and syncs the whole snapshot under its draft name, puts .next beside current,
// renames the draft to its final name, and renames .next over current. Readers see the snapshot
// from that last rename on. As long as .next exists, the snapshot it names is not published:
// Snapshots leaves it out and Sweep removes it. Whoever calls Begin, Commit or Sweep holds the
// workspace's lock; reading needs none.
//
// On Windows, where a link to a directory cannot be replaced, and on file systems without
// links, current is a directory with the same files (hard links where possible). It is swapped
// by two renames through .previous. Between the two there is no published/current for a moment:
// a reader that opens a file just then is told that it does not exist and must try again. A
// reader that holds a file open keeps the old one; Windows may refuse the swap meanwhile, which
// is tried again for a few seconds and then fails with the old snapshot in place. The snapshot
// itself is in snapshots/<run_id> in either form.
//
// A reader that opens several tables one after the other through current may see two snapshots.
// It should resolve the link once, or compare run_id and as_at.
package snapshot

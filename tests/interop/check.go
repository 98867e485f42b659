// SPDX-License-Identifier: EUPL-1.2

// Checks a published log with the code that Go's checksum database is checked with: its notes, its tree and its
// proofs. Nothing here is ours but the reading of files.
//
//	check LOG-FOLDER VERIFIER-KEY [PROOF-FILE...]
//
// Prints a line for each thing checked and ends with 1 at the first that fails.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8
const width = 1 << height

type checkpoint struct {
	origin string
	tree   tlog.Tree
}

// A signed checkpoint of the log that the key names.
func openCheckpoint(signed []byte, key note.Verifier) (checkpoint, error) {
	opened, err := note.Open(signed, note.VerifierList(key))
	if err != nil {
		return checkpoint{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return checkpoint{}, fmt.Errorf("a checkpoint has three lines, this one %d", len(lines)-1)
	}
	if lines[0] != key.Name() {
		return checkpoint{}, fmt.Errorf("the checkpoint is of %q, the key of %q", lines[0], key.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return checkpoint{}, fmt.Errorf("%q is no size", lines[1])
	}
	hash, err := tlog.ParseHash(lines[2])
	if err != nil {
		return checkpoint{}, err
	}
	return checkpoint{lines[0], tlog.Tree{N: size, Hash: hash}}, nil
}

// The folder as a server of tiles. Go's database says "tile/8/0/123" where this log says "tile/0/123", and
// "tile/8/data/123" where it says "tile/entries/123".
type folder string

func (f folder) read(t tlog.Tile) ([]byte, error) {
	path := strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
	path = strings.Replace(path, "tile/data/", "tile/entries/", 1)
	return os.ReadFile(filepath.Join(string(f), filepath.FromSlash(path)))
}

func (f folder) Height() int { return height }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := f.read(t)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

// The entries of the log, from its bundles: each a length in two bytes and the bytes.
func (f folder) entries(size int64) ([][]byte, error) {
	var all [][]byte
	for n := int64(0); n*width < size; n++ {
		w := size - n*width
		if w > width {
			w = width
		}
		bundle, err := f.read(tlog.Tile{H: height, L: -1, N: n, W: int(w)})
		if err != nil {
			return nil, err
		}
		for i := int64(0); i < w; i++ {
			if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
				return nil, fmt.Errorf("bundle %d ends in entry %d", n, i)
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			all = append(all, bundle[2:end])
			bundle = bundle[end:]
		}
		if len(bundle) != 0 {
			return nil, fmt.Errorf("bundle %d has %d bytes to spare", n, len(bundle))
		}
	}
	return all, nil
}

// The hashes as Go's database would store them, from nothing but the entries.
func rebuild(entries [][]byte) (tlog.HashReader, error) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			if index >= int64(len(stored)) {
				return nil, fmt.Errorf("no hash %d", index)
			}
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for i, entry := range entries {
		hashes, err := tlog.StoredHashesForRecordHash(int64(i), tlog.RecordHash(entry), reader)
		if err != nil {
			return nil, err
		}
		stored = append(stored, hashes...)
	}
	return reader, nil
}

// Numbers from 0 to below n: the edges, those around full tiles, and some between.
func sample(n int64) []int64 {
	seen := map[int64]bool{}
	var all []int64
	add := func(i int64) {
		if i >= 0 && i < n && !seen[i] {
			seen[i] = true
			all = append(all, i)
		}
	}
	for _, i := range []int64{0, 1, 2, 3, width - 1, width, width + 1, width*width - 1, width * width, n - 2, n - 1} {
		add(i)
	}
	last := (n - 1) / width * width
	add(last - 1)
	add(last)
	add(last + 1)
	for i := int64(1); i <= 40; i++ {
		add(i * n / 41)
	}
	return all
}

// A file of c2sp.org/tlog-proof@v1, with the checkpoint as it stands in it.
type proofFile struct {
	extra  []byte
	index  int64
	hashes tlog.RecordProof
	signed []byte
}

func parseProof(data []byte) (proofFile, error) {
	var p proofFile
	head, signed, found := bytes.Cut(data, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" {
		return p, fmt.Errorf("not a proof file")
	}
	lines = lines[1:]
	p.signed = signed
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		extra, err := base64.StdEncoding.Strict().DecodeString(lines[0][len("extra "):])
		if err != nil {
			return p, err
		}
		p.extra = extra
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return p, fmt.Errorf("no index")
	}
	index, err := strconv.ParseInt(lines[0][len("index "):], 10, 64)
	if err != nil || index < 0 || "index "+strconv.FormatInt(index, 10) != lines[0] {
		return p, fmt.Errorf("%q is no index", lines[0])
	}
	p.index = index
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return p, err
		}
		p.hashes = append(p.hashes, hash)
	}
	return p, nil
}

func run(dir folder, key note.Verifier, proofs []string) error {
	signed, err := os.ReadFile(filepath.Join(string(dir), "checkpoint"))
	if err != nil {
		return err
	}
	head, err := openCheckpoint(signed, key)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	size, root := head.tree.N, head.tree.Hash
	fmt.Printf("checkpoint: signed by %s+%08x, %d entries\n", key.Name(), key.KeyHash(), size)

	entries, err := dir.entries(size)
	if err != nil {
		return fmt.Errorf("entries: %w", err)
	}
	rebuilt, err := rebuild(entries)
	if err != nil {
		return err
	}
	// tlog has no word for the root of nothing in this version: RFC 6962 says SHA-256 of nothing.
	hash, _ := tlog.ParseHash("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
	if size > 0 {
		if hash, err = tlog.TreeHash(size, rebuilt); err != nil {
			return err
		}
	}
	if hash != root {
		return fmt.Errorf("root: %v from the entries, %v in the checkpoint", hash, root)
	}
	fmt.Printf("root: %v, as the entries say\n", root)
	if size == 0 {
		return nil
	}

	count := 0
	for _, t := range tlog.NewTiles(height, 0, size) {
		// Every width that a partial tile ever had is listed; one checkpoint has only the last of them.
		if t.W < width && t.N<<height+int64(t.W) < size>>(height*t.L) {
			continue
		}
		want, err := tlog.ReadTileData(t, rebuilt)
		if err != nil {
			return err
		}
		data, err := dir.read(t)
		if err != nil {
			return err
		}
		if !bytes.Equal(data, want) {
			return fmt.Errorf("%s: not the hashes of the entries", t.Path())
		}
		count++
	}
	fmt.Printf("tiles: %d, each with the hashes of the entries\n", count)

	published := tlog.TileHashReader(head.tree, dir)
	chosen := sample(size)
	for _, i := range chosen {
		proof, err := tlog.ProveRecord(size, i, published)
		if err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
		if err := tlog.CheckRecord(proof, size, root, i, tlog.RecordHash(entries[i])); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
	}
	fmt.Printf("records: %d proved from the tiles\n", len(chosen))

	for _, i := range chosen {
		old, err := tlog.TreeHash(i+1, rebuilt)
		if err != nil {
			return err
		}
		proof, err := tlog.ProveTree(size, i+1, published)
		if err != nil {
			return fmt.Errorf("tree of %d: %w", i+1, err)
		}
		if err := tlog.CheckTree(proof, size, root, i+1, old); err != nil {
			return fmt.Errorf("tree of %d: %w", i+1, err)
		}
	}
	fmt.Printf("trees: %d earlier ones proved from the tiles\n", len(chosen))

	for _, name := range proofs {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		proof, err := parseProof(data)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		then, err := openCheckpoint(proof.signed, key)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if then.tree.N > size || proof.index >= then.tree.N {
			return fmt.Errorf("%s: entry %d of %d, the log has %d", name, proof.index, then.tree.N, size)
		}
		entry := entries[proof.index]
		if proof.extra != nil && !bytes.Equal(proof.extra, entry) {
			return fmt.Errorf("%s: carries another entry than the log has at %d", name, proof.index)
		}
		if err := tlog.CheckRecord(proof.hashes, then.tree.N, then.tree.Hash, proof.index, tlog.RecordHash(entry)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if old, err := tlog.TreeHash(then.tree.N, rebuilt); err != nil || old != then.tree.Hash {
			return fmt.Errorf("%s: its checkpoint is of another log", name)
		}
		fmt.Printf("proof: %s, entry %d of %d\n", filepath.Base(name), proof.index, then.tree.N)
	}
	return nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: check LOG-FOLDER VERIFIER-KEY [PROOF-FILE...]")
		os.Exit(64)
	}
	key, err := note.NewVerifier(os.Args[2])
	if err == nil {
		err = run(folder(os.Args[1]), key, os.Args[3:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
}

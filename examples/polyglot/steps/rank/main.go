package main

import (
	"cmp"
	"encoding/json"
	"log"
	"os"
	"slices"
)

type input struct {
	Steps struct {
		Count struct {
			Counts map[string]int `json:"counts"`
		} `json:"count"`
	} `json:"steps"`
}

type ranked struct {
	Word  string `json:"word"`
	Count int    `json:"count"`
}

func main() {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		log.Fatal(err)
	}
	top := []ranked{}
	for word, count := range in.Steps.Count.Counts {
		top = append(top, ranked{word, count})
	}
	slices.SortFunc(top, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Word, b.Word))
	})
	log.Printf("%d different words", len(top))
	json.NewEncoder(os.Stdout).Encode(map[string]any{"top": top[:min(3, len(top))]})
}

package main

import (
	"encoding/json"
	"os"
	"unicode/utf8"
)

type input struct {
	Steps struct {
		Greet struct {
			Text string `json:"text"`
		} `json:"greet"`
	} `json:"steps"`
}

func main() {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		os.Exit(65)
	}
	letters := utf8.RuneCountInString(in.Steps.Greet.Text)
	json.NewEncoder(os.Stdout).Encode(map[string]int{"letters": letters})
}

// A step gets the event, the outputs of the steps before, and who runs this attempt, as JSON on stdin. What it prints is
// its output, stderr its log. Exit code 65 fails it for good; after any other it is tried again.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

type input struct {
	Event struct {
		Data struct {
			Name string `json:"name"`
		} `json:"data"`
	} `json:"event"`
	Ctx struct {
		Attempt int `json:"attempt"`
	} `json:"ctx"`
}

func main() {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(65)
	}
	name := in.Event.Data.Name
	if name == "" {
		name = "world"
	}
	fmt.Fprintf(os.Stderr, "greeting %s, attempt %d\n", name, in.Ctx.Attempt)
	json.NewEncoder(os.Stdout).Encode(map[string]string{"text": "Hello, " + name + "!"})
}

// A typed step has a function Run: it gets its input as records, and what it returns is put out as JSON.
package main

import (
	"encoding/json"
	"fmt"
)

func Run(input Input) (any, error) {
	var data struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(input.Event.Data, &data); err != nil {
		return nil, Fatal(err.Error())
	}
	if data.Name == "" {
		data.Name = "world"
	}
	Log(Info, fmt.Sprintf("greeting %s, attempt %d", data.Name, input.Ctx.Attempt))
	return map[string]string{"text": "Hello, " + data.Name + "!"}, nil
}

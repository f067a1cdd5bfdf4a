// The world millrace:step (wit/step.wit in the package millrace) as Go has it: beside it stands `Run`, which is the step.
package main

import (
	"encoding/json"
	"errors"
	"time"
	"unsafe"
)

type Event struct {
	ID, Name string
	Data     json.RawMessage
	User     json.RawMessage
	// Milliseconds since 1970.
	TS         uint64
	V          *string
	Attributes json.RawMessage
}

// Output is what an earlier step put out.
type Output struct {
	Step   string
	Output json.RawMessage
}

type Context struct {
	RunID, FunctionID, FunctionVersion, StepID string
	Attempt                                    uint32
	// Milliseconds since 1970.
	Deadline       uint64
	IdempotencyKey string
	User           json.RawMessage
	Traceparent    *string
	Failure        json.RawMessage
}

type Input struct {
	Event Event
	Steps []Output
	Ctx   Context
}

// Fatal is an error after which no attempt is made. Any other one is tried again.
type Fatal string

func (failure Fatal) Error() string { return string(failure) }

// Retry is an error after which the next attempt is made so much later.
type Retry struct {
	Message string
	After   time.Duration
}

func (failure Retry) Error() string { return failure.Message }

type Level uint32

const (
	Trace Level = iota
	Debug
	Info
	Warn
	Error
)

// Log writes a line into the attempt's log.
func Log(level Level, message string) {
	stepLog(uint32(level), unsafe.StringData(message), uint32(len(message)))
}

func main() {}

//go:wasmimport millrace:step/log@0.1.0 log
func stepLog(level uint32, message *byte, length uint32)

// What lies in memory, where an address takes 32 bits.
type rawText struct{ at, length uint32 }

type rawOption struct {
	some  uint8
	value rawText
}

type rawInput struct {
	event struct {
		id, name, data rawText
		user           rawOption
		ts             uint64
		v, attributes  rawOption
	}
	steps rawText
	ctx   struct {
		runID, functionID, functionVersion, stepID rawText
		attempt                                    uint32
		deadline                                   uint64
		idempotencyKey                             rawText
		user, traceparent, failure                 rawOption
	}
}

type rawOutput struct{ step, output rawText }

type rawResult struct {
	failed uint8
	is     struct {
		// Of a failure, before its message.
		fatal   uint8
		_       [7]uint8
		message rawText
		after   struct {
			some uint8
			ms   uint64
		}
	}
}

// The collector does not see what the host reads.
var (
	keptText   string
	keptResult rawResult
)

//go:wasmexport millrace:step/handler@0.1.0#run
func stepRun(at uint32) uint32 {
	output, err := Run(inputAt(at))
	if err == nil {
		var bytes []byte
		bytes, err = json.Marshal(output)
		keptText = string(bytes)
	}
	result := &keptResult
	if err == nil {
		*(*rawText)(unsafe.Pointer(&result.is)) = rawOf(keptText)
		return uint32(uintptr(unsafe.Pointer(result)))
	}
	var fatal Fatal
	var retry Retry
	if errors.As(err, &fatal) {
		result.is.fatal = 1
	} else if errors.As(err, &retry) {
		result.is.after.some = 1
		result.is.after.ms = uint64(retry.After.Milliseconds())
	}
	keptText = err.Error()
	result.failed = 1
	result.is.message = rawOf(keptText)
	return uint32(uintptr(unsafe.Pointer(result)))
}

func inputAt(at uint32) Input {
	raw := (*rawInput)(pointer(at))
	event, ctx := &raw.event, &raw.ctx
	input := Input{
		Event: Event{
			ID: event.id.text(), Name: event.name.text(), Data: event.data.bytes(), User: event.user.bytes(),
			TS: event.ts, V: event.v.text(), Attributes: event.attributes.bytes(),
		},
		Ctx: Context{
			RunID: ctx.runID.text(), FunctionID: ctx.functionID.text(), FunctionVersion: ctx.functionVersion.text(),
			StepID: ctx.stepID.text(), Attempt: ctx.attempt, Deadline: ctx.deadline,
			IdempotencyKey: ctx.idempotencyKey.text(), User: ctx.user.bytes(), Traceparent: ctx.traceparent.text(),
			Failure: ctx.failure.bytes(),
		},
	}
	for index := range raw.steps.length {
		step := (*rawOutput)(pointer(raw.steps.at + index*uint32(unsafe.Sizeof(rawOutput{}))))
		input.Steps = append(input.Steps, Output{step.step.text(), step.output.bytes()})
	}
	return input
}

func pointer(at uint32) unsafe.Pointer {
	address := uintptr(at)
	return *(*unsafe.Pointer)(unsafe.Pointer(&address))
}

func rawOf(value string) rawText {
	return rawText{uint32(uintptr(unsafe.Pointer(unsafe.StringData(value)))), uint32(len(value))}
}

func (value rawText) bytes() []byte {
	// What has no bytes has no address either.
	if value.length == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(pointer(value.at)), value.length)
}

func (value rawText) text() string { return string(value.bytes()) }

func (value rawOption) bytes() []byte {
	if value.some == 0 {
		return nil
	}
	return value.value.bytes()
}

func (value rawOption) text() *string {
	if value.some == 0 {
		return nil
	}
	text := value.value.text()
	return &text
}

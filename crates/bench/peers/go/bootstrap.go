// A minimal loop for Lambda's Runtime API. AWS's own runtime would only add time.
package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
)

var invocations = "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"

func main() {
	signIn := must(newSignIn())
	for {
		next := must(http.Get(invocations + "next"))
		var event Event
		check(json.Unmarshal(read(next), &event))
		answer := must(json.Marshal(must(signIn.handle(event))))
		id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		read(must(http.Post(invocations+id+"/response", "application/json", bytes.NewReader(answer))))
	}
}

// Reads the whole body, so that the connection can be reused.
func read(response *http.Response) []byte {
	defer response.Body.Close()
	return must(io.ReadAll(response.Body))
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

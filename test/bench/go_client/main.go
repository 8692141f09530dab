// What AWS's own Go client does: many requests at once.
//
// usage: go_client URL COUNT CONCURRENCY
//
// Calls GetThingShadow (this version of the client does not know GetConnection), COUNT times, each
// for another thing, CONCURRENCY goroutines at once, over connections that are kept.
//
// Prints the seconds that COUNT requests took after a round that opened the connections, and the
// processor time of all of them, in seconds.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iotdataplane"
)

type keys struct{}

func (keys) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{
		AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
	}, nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		fail(err)
	}
	return value
}

// Make "count" requests, "concurrency" at once.
func run(client *iotdataplane.Client, count int64, concurrency int64) {
	var begun int64
	var all sync.WaitGroup

	for i := int64(0); i < concurrency; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for {
				number := atomic.AddInt64(&begun, 1)
				if number > count {
					return
				}
				_, err := client.GetThingShadow(context.Background(), &iotdataplane.GetThingShadowInput{
					ThingName: aws.String(fmt.Sprintf("device-%06d", number)),
				})
				if err != nil {
					fail(err)
				}
			}
		}()
	}
	all.Wait()
}

func processorTime() float64 {
	var usage syscall.Rusage

	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err)
	}
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}

func main() {
	if len(os.Args) != 4 {
		fail(fmt.Errorf("usage: go_client URL COUNT CONCURRENCY"))
	}
	count, concurrency := number(os.Args[2]), number(os.Args[3])
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = int(concurrency)
	client := iotdataplane.New(iotdataplane.Options{
		Region:           os.Getenv("AWS_REGION"),
		Credentials:      keys{},
		HTTPClient:       &http.Client{Transport: transport},
		EndpointResolver: iotdataplane.EndpointResolverFromURL(os.Args[1]),
	})

	run(client, concurrency, concurrency)
	before, begun := processorTime(), time.Now()
	run(client, count, concurrency)
	fmt.Printf("%.6f %.6f\n", time.Since(begun).Seconds(), processorTime()-before)
}

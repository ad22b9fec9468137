package rpc

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// The parts of gRPC's service config that we use (gRFC A2, A6, A17).
type (
	methodName struct {
		Service string `json:"service"`
		Method  string `json:"method"`
	}
	retryPolicy struct {
		MaxAttempts          int      `json:"maxAttempts"`
		InitialBackoff       string   `json:"initialBackoff"`
		MaxBackoff           string   `json:"maxBackoff"`
		BackoffMultiplier    float64  `json:"backoffMultiplier"`
		RetryableStatusCodes []string `json:"retryableStatusCodes"`
	}
	methodConfig struct {
		Name        []methodName `json:"name"`
		RetryPolicy retryPolicy  `json:"retryPolicy"`
	}
	channelConfig struct {
		LoadBalancingConfig []map[string]struct{} `json:"loadBalancingConfig"`
		HealthCheckConfig   struct {
			ServiceName string `json:"serviceName"`
		} `json:"healthCheckConfig"`
		MethodConfig    []methodConfig `json:"methodConfig,omitempty"`
		RetryThrottling struct {
			MaxTokens  int     `json:"maxTokens"`
			TokenRatio float64 `json:"tokenRatio"`
		} `json:"retryThrottling"`
	}
)

// serviceConfig is how a channel to a role behaves: spread over all healthy
// instances, and retry what may be retried, but not into a collapse: when more
// than about one call in eleven fails, the throttle stops all retries.
func serviceConfig(role string) (string, error) {
	var c channelConfig
	c.LoadBalancingConfig = []map[string]struct{}{{"round_robin": {}}}
	c.HealthCheckConfig.ServiceName = role
	c.RetryThrottling.MaxTokens, c.RetryThrottling.TokenRatio = 100, 0.1
	if names := retrySafeMethods(); len(names) > 0 {
		c.MethodConfig = []methodConfig{{
			Name: names,
			RetryPolicy: retryPolicy{
				MaxAttempts: 4, InitialBackoff: "0.05s", MaxBackoff: "0.5s", BackoffMultiplier: 2,
				RetryableStatusCodes: []string{"UNAVAILABLE"},
			},
		}}
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("rpc: service config: %w", err)
	}
	return string(raw), nil
}

// retrySafeMethods lists the methods of all OneHall services linked into this
// program that may be called twice.
func retrySafeMethods() []methodName {
	var names []methodName
	protoregistry.GlobalFiles.RangeFiles(func(fd protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(fd.Package()), "onehall.") {
			return true
		}
		for i := range fd.Services().Len() {
			sd := fd.Services().Get(i)
			for j := range sd.Methods().Len() {
				if md := sd.Methods().Get(j); retrySafe(md) {
					names = append(names, methodName{Service: string(sd.FullName()), Method: string(md.Name())})
				}
			}
		}
		return true
	})
	slices.SortFunc(names, func(a, b methodName) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Method, b.Method))
	})
	return names
}

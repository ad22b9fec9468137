// Package openapi holds the OpenAPI document that is generated from the contract.
package openapi

import _ "embed"

// Document is the OpenAPI 2.0 document of all REST methods, as generated. The gateway
// completes it (title, errors, permissions) before it shows it to anybody.
//
//go:embed onehall.swagger.json
var Document []byte

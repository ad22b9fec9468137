module github.com/onehall/onehall/gateway

go 1.26.8

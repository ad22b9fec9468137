module github.com/onehall/onehall/deploy

go 1.26.8

replace (
	github.com/onehall/onehall/gateway => ../gateway
	github.com/onehall/onehall/proto => ../proto
	github.com/onehall/onehall/services => ../services
)

require (
	github.com/google/uuid v1.6.0
	github.com/onehall/onehall/gateway v0.0.0
	github.com/onehall/onehall/proto v0.0.0
	github.com/onehall/onehall/services v0.0.0
	github.com/spf13/pflag v1.1.0
	go.etcd.io/etcd/server/v3 v3.7.3
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

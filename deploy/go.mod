module github.com/onehall/onehall/deploy

go 1.26.8

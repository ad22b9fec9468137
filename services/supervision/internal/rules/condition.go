package rules

import (
	"fmt"
	"reflect"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	"github.com/onehall/onehall/services/platform/workday"
)

const (
	// costLimit bounds what one expression may cost in one judgement: what comes with
	// the program needs less than a tenth of it.
	costLimit = 20_000
	// maxExpression is the longest expression taken, in bytes.
	maxExpression = 2000
)

// each are what a rule can be asked about one by one, with what "it" then is.
var each = map[string]any{
	"supplement": &SupplementView{},
	"special":    &SpecialView{},
	"milestone":  &MilestoneView{},
	"reason":     &ReasonView{},
	"fee":        &FeeView{},
}

// environments are what expressions are compiled in, by the rule's "each".
var environments = func() map[string]*cel.Env {
	viewTypes := []any{ext.ParseStructTags(true), reflect.TypeFor[*Case](), reflect.TypeFor[*DeedView]()}
	for _, v := range each {
		viewTypes = append(viewTypes, reflect.TypeOf(v))
	}
	base, err := cel.NewEnv(
		ext.NativeTypes(viewTypes...),
		ext.Strings(),
		cel.Variable("case", cel.ObjectType("rules.Case")),
		cel.Variable("deed", cel.ObjectType("rules.DeedView")),
		cel.Function("china", cel.Overload("china_timestamp", []*cel.Type{cel.TimestampType}, cel.StringType,
			cel.UnaryBinding(func(v ref.Val) ref.Val {
				t, ok := v.Value().(time.Time)
				if !ok {
					return types.MaybeNoSuchOverloadErr(v)
				}
				return types.String(chinaTime(t))
			}))),
	)
	if err != nil {
		panic(fmt.Errorf("rules: %w", err)) // a mistake of the program
	}
	all := map[string]*cel.Env{"": base}
	for name, v := range each {
		env, err := base.Extend(cel.Variable("it", cel.ObjectType(reflect.TypeOf(v).Elem().String())))
		if err != nil {
			panic(fmt.Errorf("rules: %w", err))
		}
		all[name] = env
	}
	return all
}()

// chinaTime shows a moment as a ground does.
func chinaTime(t time.Time) string { return t.In(workday.Zone).Format("2006-01-02 15:04") }

// expression is one compiled expression; nil is the zero of its kind.
type expression struct {
	text    string
	program cel.Program
}

// compile checks an expression against the documented variables and its kind.
func compile(of, text string, kind *cel.Type) (*expression, error) {
	if text == "" {
		return nil, nil
	}
	env, ok := environments[of]
	if !ok {
		return nil, fmt.Errorf("rules: there is no %q to ask about one by one", of)
	}
	return compileIn(env, text, kind)
}

// compileIn checks an expression against the variables of an environment.
func compileIn(env *cel.Env, text string, kind *cel.Type) (*expression, error) {
	if len(text) > maxExpression {
		return nil, fmt.Errorf("rules: an expression has %d bytes, more than %d", len(text), maxExpression)
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, fmt.Errorf("rules: %w", issues.Err())
	}
	if !ast.OutputType().IsExactType(kind) {
		return nil, fmt.Errorf("rules: %s is of type %s, not %s", text, ast.OutputType(), kind)
	}
	program, err := env.Program(ast, cel.CostLimit(costLimit), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, fmt.Errorf("rules: %s: %w", text, err)
	}
	return &expression{text: text, program: program}, nil
}

// run evaluates the expression; one that fails or costs too much is an error.
func run[T any](e *expression, vars map[string]any) (T, error) {
	var zero T
	if e == nil {
		return zero, nil
	}
	out, _, err := e.program.Eval(vars)
	if err != nil {
		return zero, fmt.Errorf("rules: %s: %w", e.text, err)
	}
	v, ok := out.Value().(T)
	if !ok {
		return zero, fmt.Errorf("rules: %s came out as %T", e.text, out.Value())
	}
	return v, nil
}

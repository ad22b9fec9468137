package search

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	province = "halls/440000"
	city     = "halls/441300"
	county   = "halls/441302"
	other    = "halls/440100"
)

func tree(x *Index) *Index {
	x.SetHalls(Hall{province, "广东省", ""}, Hall{city, "惠州市", province}, Hall{county, "惠城区", city}, Hall{other, "广州市", province})
	return x
}

func doc(id, title string, aliases ...string) Doc {
	return Doc{Name: city + "/items/" + id, Hall: city, Department: city + "/departments/d1", DepartmentTitle: "惠州市民政局",
		Title: title, Aliases: aliases, Level: 3, Objects: []int32{1}, PersonThemes: []string{"060"}}
}

func fixture() *Index {
	x := tree(New())
	fund := doc("fund", "住房公积金提取", "取公积金", "租房提公积金")
	fund.Summary, fund.FullOnline = "买房、租房、还房贷时，把自己账户里的钱取出来。", true
	food := doc("food", "食品经营许可", "开小饭馆", "餐饮许可证")
	food.Objects, food.PersonThemes, food.LegalThemes, food.DepartmentTitle = []int32{2}, nil, []string{"010"}, "惠州市市场监督管理局"
	first := doc("idfirst", "居民身份证（首次）申领", "办身份证")
	first.Conditions = "本市户籍公民均可申请"
	x.Apply([]Doc{
		doc("marry", "结婚登记", "结婚证", "领证"), doc("divorce", "离婚登记", "离婚证"), first,
		doc("idlost", "居民身份证补领", "身份证丢了怎么补", "身份证遗失"), fund, food,
		doc("bank", "银行开户许可"), doc("reissue", "补发婚姻登记证"), doc("sim", "ＳＩＭ卡实名登记"), doc("acct", "会计代理记账许可"),
	}, nil)
	return x
}

func ids(hits []Hit) []string {
	var all []string
	for _, h := range hits {
		all = append(all, h.Name[strings.LastIndexByte(h.Name, '/')+1:])
	}
	return all
}

func TestWhatPeopleSay(t *testing.T) {
	x := fixture()
	for _, c := range []struct {
		query string
		best  []string
	}{
		{"结婚证", []string{"marry"}},
		{"結婚登記", []string{"marry"}},
		{"结婚登记怎么办", []string{"marry"}},
		{"jhdj", []string{"marry"}},
		{"JHDJ", []string{"marry"}},
		{"jiehundengji", []string{"marry"}},
		{"jiehunzheng", []string{"marry"}},
		{"jiehun", []string{"marry"}},
		{"婚", []string{"marry", "divorce", "reissue"}},
		{"身份证丢了", []string{"idlost"}},
		{"我的身份证丢了怎么办", []string{"idlost"}},
		{"居民身份证首次申领", []string{"idfirst"}},
		{"居民身份证（首次）", []string{"idfirst"}},
		{"公积金 提取", []string{"fund"}},
		{"提取 公积金", []string{"fund"}},
		{"公积金、提取", []string{"fund"}},
		{"还房贷", []string{"fund"}},
		{"开小饭馆", []string{"food"}},
		{"開小飯館", []string{"food"}},
		{"kxfg", []string{"food"}},
		{"市场监督", []string{"food"}},
		{"sim卡", []string{"sim"}},
		{"ｓｉｍ", []string{"sim"}},
		{"yhkh", []string{"bank"}},
		{"yinhangkaihu", []string{"bank"}},
		{"kuaiji", []string{"acct"}},
		{"公积金 jh", []string{"fund"}},
		{"公积金 tq", []string{"fund"}},
		{"户籍公民", []string{"idfirst"}},
		{"护照", nil},
		{"%%%%", nil},
		{"，", nil},
		{"zz", nil},
	} {
		hits, total := x.Find(Query{Text: c.query}, Place{}, 50)
		got := ids(hits)
		if len(c.best) == 0 {
			if total != 0 || len(got) != 0 {
				t.Errorf("%s: found %v", c.query, got)
			}
			continue
		}
		if d := cmp.Diff(c.best, got[:min(len(got), len(c.best))]); d != "" {
			t.Errorf("%s: %v", c.query, got)
		}
	}
}

func TestBestFirst(t *testing.T) {
	x := tree(New())
	x.Apply([]Doc{
		doc("part", "居住登记"), doc("grams", "住证换居住"), doc("contains", "港澳居民居住证申领"),
		doc("alias-prefix", "流动人口登记", "居住证办理"), doc("alias", "流动人口申领", "居住证"), doc("title", "居住证"),
		doc("pinyin", "车辆登记", "绝症主治"),
	}, nil)
	hits, _ := x.Find(Query{Text: "居住证"}, Place{}, 50)
	want := []string{"title", "alias", "alias-prefix", "contains", "grams"}
	if d := cmp.Diff(want, ids(hits)); d != "" {
		t.Error(d)
	}
	// What has a good part of it is shown only where hardly anything has all.
	hits, _ = x.Find(Query{Text: "绝症居住登记表"}, Place{}, 50)
	if got := ids(hits); len(got) == 0 || got[0] != "part" {
		t.Errorf("partial: %v", got)
	}
}

func TestFilters(t *testing.T) {
	x := tree(New())
	var docs []Doc
	for i, h := range []string{province, city, county, other} {
		d := doc("x", "户口登记")
		d.Name, d.Hall, d.Level = h+"/items/x", h, []int32{2, 3, 4, 3}[i]
		d.Department = h + "/departments/d1"
		docs = append(docs, d)
	}
	docs[1].FullOnline, docs[2].Objects, docs[2].PersonThemes, docs[2].LegalThemes = true, []int32{2}, nil, []string{"060"}
	x.Apply(docs, nil)
	for _, c := range []struct {
		name  string
		query Query
		halls []string
	}{
		{"all, the higher level first", Query{}, []string{province, other, city, county}},
		{"city and below, nearest first", Query{Hall: city}, []string{city, county}},
		{"province and below", Query{Hall: province}, []string{province, city, other, county}},
		{"county", Query{Hall: county}, []string{county}},
		{"unknown hall", Query{Hall: "halls/999999"}, nil},
		{"level", Query{Level: 4}, []string{county}},
		{"object", Query{Object: 2}, []string{county}},
		{"theme of persons", Query{Theme: "060", Object: 1, Hall: city}, []string{city}},
		{"theme of legal persons", Query{Theme: "060", Object: 2}, []string{county}},
		{"theme of either", Query{Theme: "060", Hall: city}, []string{city, county}},
		{"unknown theme", Query{Theme: "999"}, nil},
		{"department", Query{Department: other + "/departments/d1"}, []string{other}},
		{"online", Query{FullOnline: true}, []string{city}},
		{"two", Query{FullOnline: true, Level: 4}, nil},
	} {
		for _, text := range []string{"", "户口"} {
			c.query.Text = text
			hits, total := x.Find(c.query, Place{}, 50)
			var halls []string
			for _, h := range hits {
				halls = append(halls, h.Hall)
			}
			slices.Sort(halls[min(1, len(halls)):])
			want := slices.Clone(c.halls)
			slices.Sort(want[min(1, len(want)):])
			if d := cmp.Diff(want, halls); d != "" || total != len(want) {
				t.Errorf("%s %q: %s (total %d)", c.name, text, d, total)
			}
		}
	}
	if hits, _ := x.Find(Query{Hall: city, Text: "户口"}, Place{}, 1); hits[0].HallTitle != "惠州市" {
		t.Errorf("hall %q", hits[0].HallTitle)
	}
}

func TestChangesShowAtOnce(t *testing.T) {
	x := fixture()
	x.Apply([]Doc{doc("marry", "婚姻登记")}, []string{city + "/items/divorce", city + "/items/unknown"})
	for query, want := range map[string][]string{"结婚证": nil, "离婚证": nil, "婚姻登记": {"marry", "reissue"}} {
		hits, _ := x.Find(Query{Text: query}, Place{}, 50)
		if d := cmp.Diff(want, ids(hits)); d != "" {
			t.Errorf("%s: %s", query, d)
		}
	}
	if live, dead := x.Len(); live != 9 || dead != 2 {
		t.Errorf("%d live, %d dead", live, dead)
	}
}

// synthetic makes items like those of a province.
func synthetic(n int) ([]Doc, *Index) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(words string) string { all := strings.Fields(words); return all[r.IntN(len(all))] }
	x := tree(New())
	docs := make([]Doc, 0, n)
	for i := range n {
		subject := pick("食品 药品 建筑 道路 水利 医疗 教育 户口 婚姻 出入境 车辆 船舶 森林 草原 矿产 农药 种子 兽药 渔业 电力 燃气 公积金 社保 养老 就业 会计 广告 出版 印刷 文物 体育 旅游 宗教 消防 特种设备 计量 商标 专利 不动产 土地") +
			pick("生产 经营 运输 施工 设计 使用 销售 仓储 进口 出口 检验 鉴定 登记 服务 机构 企业 个人 从业 场所 设备")
		d := Doc{
			Name: fmt.Sprintf("%s/items/%06d", []string{city, county, other}[i%3], i), Hall: []string{city, county, other}[i%3], Level: 3 + int32(i%3)/2,
			Department: city + "/departments/d" + fmt.Sprint(i%40), DepartmentTitle: "惠州市" + pick("公安 民政 卫生 教育 市场监督管理 住房 交通 水务 农业 林业") + "局",
			Title:   subject + pick("许可 备案 审批 核准 确认 登记 变更 注销 延续 补办 换证 年检 申领 查询 提取"),
			Aliases: []string{"办" + subject, subject + "怎么" + pick("办 变更 注销 补")},
			Summary: pick("符合条件的个人 依法登记的单位 本地居民 外来人员") + "办" + subject + pick("时提交材料 可以全程网办 最多跑一次 当场办结"),
			Objects: []int32{1 + int32(i%2)},
		}
		if i%5 == 0 {
			d.Title = pick("惠城区 惠阳区 博罗县 惠东县 龙门县") + d.Title
		}
		docs = append(docs, d)
	}
	for part := range slices.Chunk(docs, 1000) {
		x.Apply(part, nil)
	}
	return docs, x
}

// folded are the texts of an item as they are compared.
func folded(d Doc) []string {
	var all []string
	for _, s := range append([]string{d.Title, d.DepartmentTitle, d.Summary}, d.Aliases...) {
		all = append(all, string(joined(fold(s))))
	}
	return all
}

// scan is the truth: every word stands in one of the item's texts.
func scan(docs []Doc, texts [][]string, query string) map[string]bool {
	found := map[string]bool{}
	for i, d := range docs {
		all := true
		for _, w := range fold(query) {
			all = all && slices.ContainsFunc(texts[i], func(s string) bool { return strings.Contains(s, string(w)) })
		}
		if all {
			found[d.Name] = true
		}
	}
	return found
}

func TestFindsAllThatAScanFinds(t *testing.T) {
	docs, x := synthetic(20_000)
	texts := make([][]string, len(docs))
	for i, d := range docs {
		texts[i] = folded(d)
	}
	for _, query := range []string{
		"食品经营许可", "公积金提取", "提取", "惠城区 会计", "博罗县农药", "税", "種子生產", "养老服务变更", "文物 市场监督", "特种设备使用登记",
		"船舶 博罗县 注销", "不动产登记查询", "医疗机构延续 一次", "计量鉴定补办", "龙门县 婚姻", "出入境个人申领",
	} {
		want := scan(docs, texts, query)
		if len(want) > MaxHits {
			if _, total := x.Find(Query{Text: query}, Place{}, 10); total != MaxHits {
				t.Errorf("%s: %d of %d", query, total, len(want))
			}
			continue
		}
		got := map[string]bool{}
		var last Place
		for pages := 0; ; pages++ {
			hits, _ := x.Find(Query{Text: query}, last, 50)
			for _, h := range hits {
				if got[h.Name] {
					t.Fatalf("%s: %s on two pages", query, h.Name)
				}
				got[h.Name] = true
			}
			if len(hits) < 50 {
				break
			}
			last = hits[len(hits)-1].Place
		}
		for name := range want {
			if !got[name] {
				t.Errorf("%s: %s is missing of %d", query, name, len(want))
			}
		}
	}
}

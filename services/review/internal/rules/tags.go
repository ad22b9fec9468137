package rules

// Tag is one of the national tags, of which each number of stars has eight.
type Tag struct {
	// Code has three digits, the first being the stars.
	Code string
	// Stars are what the tag belongs to.
	Stars int
	// Title is the tag's words.
	Title string
}

// tags is the national list, by stars from the best and code.
var tags = []Tag{
	{"510", 5, "一窗受理一次办结"},
	{"511", 5, "可以先受理后补材料"},
	{"512", 5, "不用提交证明"},
	{"513", 5, "可以全程网上办理"},
	{"514", 5, "可以使用手机办理"},
	{"515", 5, "可以就近办理"},
	{"516", 5, "无需材料直接办理"},
	{"517", 5, "服务热情效率高"},
	{"406", 4, "填写一张表单就可完成申报"},
	{"407", 4, "在线提交材料窗口核验"},
	{"408", 4, "一张清单告知全部申报材料"},
	{"409", 4, "用告知承诺减免申报材料"},
	{"410", 4, "可以在线预约办理"},
	{"411", 4, "跑大厅一次办完"},
	{"412", 4, "可以使用自助机办理"},
	{"413", 4, "服务态度较好"},
	{"307", 3, "一次性告知需要补正的材料"},
	{"308", 3, "提供申报材料样本"},
	{"309", 3, "在承诺的时间内办结"},
	{"310", 3, "办事指南指引准确"},
	{"311", 3, "按办事指南要求的材料即可办理"},
	{"312", 3, "可以快递送达"},
	{"313", 3, "跑动次数与承诺的一致"},
	{"314", 3, "服务态度一般"},
	{"207", 2, "没有提供材料样本"},
	{"208", 2, "没有提供材料清单"},
	{"209", 2, "未在承诺时间内办结"},
	{"210", 2, "同样内容的证明材料被要求多次提交"},
	{"211", 2, "承诺网办但无法在线办理"},
	{"212", 2, "在线预约办理后到实体大厅重复取号排队"},
	{"213", 2, "窗口人员业务不熟练"},
	{"214", 2, "服务态度生硬"},
	{"108", 1, "在办事指南之外增加新的审批条件"},
	{"109", 1, "需提供办事指南之外的申报材料"},
	{"110", 1, "无理由超过法定办理时间"},
	{"111", 1, "办事指南提供样本有错"},
	{"112", 1, "承诺在线收取申报材料实际无法收取"},
	{"113", 1, "多头跑窗口和部门"},
	{"114", 1, "跑动次数与承诺的不一致"},
	{"115", 1, "服务态度差效率低"},
}

// Tags lists the national tags of a number of stars, or all for 0.
func Tags(stars int) []Tag {
	var of []Tag
	for _, t := range tags {
		if stars == 0 || t.Stars == stars {
			of = append(of, t)
		}
	}
	return of
}

// TagOf finds a tag by its code.
func TagOf(code string) (Tag, bool) {
	for _, t := range tags {
		if t.Code == code {
			return t, true
		}
	}
	return Tag{}, false
}

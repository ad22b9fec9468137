package fault

import (
	"net/http"

	"google.golang.org/grpc/codes"
)

// The server itself.
var (
	Internal         = define(codes.Internal, http.StatusInternalServerError, "INTERNAL", "系统内部错误，请稍后再试", "Internal error; please try again later")
	Unavailable      = define(codes.Unavailable, http.StatusServiceUnavailable, "UNAVAILABLE", "服务暂时不可用，请稍后再试", "The service is temporarily unavailable; please try again later")
	StorageFull      = define(codes.Unavailable, http.StatusServiceUnavailable, "STORAGE_FULL", "系统存储空间不足，暂时不能写入", "Storage is full; nothing can be written for now")
	UnknownOutcome   = define(codes.Unavailable, http.StatusServiceUnavailable, "UNKNOWN_OUTCOME", "暂时无法确认是否已经办理，请用同一请求编号重试", "It is not known whether the request took effect; retry with the same request id")
	ClockUnconfirmed = define(codes.Unavailable, http.StatusServiceUnavailable, "CLOCK_UNCONFIRMED", "系统时钟正在核对，暂时不能写入，请稍后再试", "The server's clock is being checked and nothing can be written for now; please try again later")
	DeadlineExceeded = define(codes.DeadlineExceeded, http.StatusGatewayTimeout, "DEADLINE_EXCEEDED", "处理超时，请稍后再试", "The request took too long; please try again later")
	Canceled         = define(codes.Canceled, 499, "CANCELED", "请求已被取消", "The request was cancelled by the caller")
	Unimplemented    = define(codes.Unimplemented, http.StatusNotImplemented, "UNIMPLEMENTED", "没有这个接口", "There is no such method")
	TooManyRequests  = define(codes.ResourceExhausted, http.StatusTooManyRequests, "TOO_MANY_REQUESTS", "请求过于频繁，请稍后再试", "Too many requests; please slow down")
	LimitExceeded    = define(codes.ResourceExhausted, http.StatusTooManyRequests, "LIMIT_EXCEEDED", "超出允许的数量或大小", "A limit on number or size was exceeded")
)

// Who is asking.
var (
	Unauthenticated  = define(codes.Unauthenticated, http.StatusUnauthorized, "UNAUTHENTICATED", "请先登录", "Please sign in first")
	TokenExpired     = define(codes.Unauthenticated, http.StatusUnauthorized, "TOKEN_EXPIRED", "登录已过期，请重新登录", "The sign-in has expired; please sign in again")
	PermissionDenied = define(codes.PermissionDenied, http.StatusForbidden, "PERMISSION_DENIED", "没有权限进行此操作", "You are not allowed to do this")
	SignInFailed     = define(codes.Unauthenticated, http.StatusUnauthorized, "SIGN_IN_FAILED", "登录没有完成，请重新登录", "The sign-in was not completed; please sign in again")
	OriginForbidden  = define(codes.PermissionDenied, http.StatusForbidden, "ORIGIN_FORBIDDEN", "不允许从该网站发起请求", "Requests from this origin are not allowed")
)

// The shape of the request.
var (
	InvalidArgument         = define(codes.InvalidArgument, http.StatusBadRequest, "INVALID_ARGUMENT", "请求内容不符合要求", "The request is not valid")
	FieldRequired           = define(codes.InvalidArgument, http.StatusBadRequest, "FIELD_REQUIRED", "有必填内容没有填写", "A required field is missing")
	UnknownField            = define(codes.InvalidArgument, http.StatusBadRequest, "UNKNOWN_FIELD", "请求中有不认识的字段", "The request has an unknown field")
	TrailingData            = define(codes.InvalidArgument, http.StatusBadRequest, "TRAILING_DATA", "请求内容之后有多余的数据", "There is data after the end of the request body")
	DuplicateKey            = define(codes.InvalidArgument, http.StatusBadRequest, "DUPLICATE_KEY", "请求中有重复的字段", "A field is given twice")
	BadJSON                 = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_JSON", "请求内容不是有效的 JSON", "The request body is not valid JSON")
	BodyTooLarge            = define(codes.ResourceExhausted, http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE", "请求内容过大", "The request body is too large")
	UnsupportedMediaType    = define(codes.InvalidArgument, http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "不支持该内容类型", "The content type is not supported")
	NotAcceptable           = define(codes.InvalidArgument, http.StatusNotAcceptable, "NOT_ACCEPTABLE", "不能按要求的格式返回", "None of the accepted response types can be produced")
	MethodNotAllowed        = define(codes.Unimplemented, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "该地址不支持这种请求方法", "The path does not support this method")
	MethodOverrideForbidden = define(codes.InvalidArgument, http.StatusBadRequest, "METHOD_OVERRIDE_FORBIDDEN", "不允许改写请求方法", "Overriding the request method is not allowed")
	BadPath                 = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_PATH", "请求地址不正确", "The request path is not valid")
	Misdirected             = define(codes.InvalidArgument, http.StatusMisdirectedRequest, "MISDIRECTED", "请求的网站名称不正确", "The request is meant for another host")
	UnknownParameter        = define(codes.InvalidArgument, http.StatusBadRequest, "UNKNOWN_PARAMETER", "请求地址中有不认识的参数", "The query has an unknown parameter")
	BadTimeout              = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_TIMEOUT", "超时时间的写法不正确", "The time-out is not valid")
	BadPageSize             = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_PAGE_SIZE", "每页条数不正确", "The page size is not valid")
	BadPageToken            = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_PAGE_TOKEN", "翻页标记无效，请从第一页重新查询", "The page token is not valid; start again from the first page")
	RequestIDMissing        = define(codes.InvalidArgument, http.StatusBadRequest, "REQUEST_ID_MISSING", "缺少请求编号", "The request id is missing")
	RequestIDInvalid        = define(codes.InvalidArgument, http.StatusBadRequest, "REQUEST_ID_INVALID", "请求编号必须是非零的 UUID", "The request id must be a UUID other than zero")
)

// Things and their versions.
var (
	NotFound        = define(codes.NotFound, http.StatusNotFound, "NOT_FOUND", "没有找到", "Not found")
	AlreadyExists   = define(codes.AlreadyExists, http.StatusConflict, "ALREADY_EXISTS", "已经存在，不能重复创建", "It exists already")
	RequestIDReused = define(codes.AlreadyExists, http.StatusConflict, "REQUEST_ID_REUSED", "该请求编号已用于内容不同的请求", "The request id was used before for a different request")
	ETagMissing     = define(codes.FailedPrecondition, http.StatusPreconditionRequired, "ETAG_MISSING", "缺少版本标记 etag", "The etag is missing")
	ETagStale       = define(codes.Aborted, http.StatusConflict, "ETAG_STALE", "内容已被他人更新，请刷新后再试", "It has changed since you read it; read it again and retry")
	ETagInvalid     = define(codes.InvalidArgument, http.StatusBadRequest, "ETAG_INVALID", "版本标记 etag 无效", "The etag is not valid")
	Conflict        = define(codes.Aborted, http.StatusConflict, "CONFLICT", "与其他人的操作冲突，请重试", "Another change got in between; please retry")
	Precondition    = define(codes.FailedPrecondition, http.StatusConflict, "PRECONDITION_FAILED", "当前状态不允许此操作", "The present state does not allow this")
	WrongTransition = define(codes.FailedPrecondition, http.StatusConflict, "INVALID_TRANSITION", "当前状态不允许此操作", "The present state does not allow this step")
)

// Codes, names and texts people type.
var (
	BadResidentID = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_RESIDENT_ID", "居民身份证号码不正确", "The resident identity number is not valid")
	BadUSCC       = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_USCC", "统一社会信用代码不正确", "The unified social credit code is not valid")
	BadOrgCode    = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_ORG_CODE", "组织机构代码不正确", "The organisation code is not valid")
	BadDivision   = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_DIVISION", "行政区划代码不正确", "The division code is not valid")
	BadItemCode   = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_ITEM_CODE", "事项编码不正确", "The item code is not valid")
	BadCaseNo     = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_CASE_NO", "办件编号不正确", "The case number is not valid")
	BadPhone      = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_PHONE", "电话号码不正确", "The phone number is not valid")
	BadName       = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_NAME", "姓名或名称含有不允许的字符", "The name has characters that are not allowed")
	BadText       = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_TEXT", "文字为空、过长或含有不允许的字符", "The text is empty, too long or has characters that are not allowed")
	BadFee        = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_FEE", "金额不正确", "The amount is not valid")
	BadCalendar   = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_CALENDAR", "工作日历不正确", "The calendar is not valid")
)

// The catalogue.
var (
	ItemNotFound        = define(codes.NotFound, http.StatusNotFound, "ITEM_NOT_FOUND", "没有找到该事项", "There is no such item")
	ItemNotInForce      = define(codes.FailedPrecondition, http.StatusConflict, "ITEM_NOT_IN_FORCE", "该事项版本当前不在有效期内", "This revision of the item is not in force")
	PublishChecksFailed = define(codes.InvalidArgument, http.StatusBadRequest, "PUBLISH_CHECKS_FAILED", "事项未通过发布检查", "The item does not pass the checks for publishing")
	ItemUnchanged       = define(codes.FailedPrecondition, http.StatusConflict, "ITEM_UNCHANGED", "没有需要发布的修改", "There is no change to publish")
	EditorMayNotPublish = define(codes.PermissionDenied, http.StatusForbidden, "EDITOR_MAY_NOT_PUBLISH", "最后修改草稿的人不能发布", "Whoever edited the draft last may not publish it")
	ImportInvalid       = define(codes.InvalidArgument, http.StatusBadRequest, "IMPORT_INVALID", "导入文件有错误", "The import has errors")
)

// Cases.
var (
	CaseWrongState      = define(codes.FailedPrecondition, http.StatusConflict, "CASE_WRONG_STATE", "办件当前状态不允许此操作", "The case is not in a state that allows this")
	OrderBroken         = define(codes.InvalidArgument, http.StatusBadRequest, "ORDER_BROKEN", "发生时间早于上一环节", "It cannot have happened before the previous step")
	TimeInFuture        = define(codes.InvalidArgument, http.StatusBadRequest, "TIME_IN_FUTURE", "发生时间不能晚于当前时间", "It cannot have happened in the future")
	ReasonRequired      = define(codes.InvalidArgument, http.StatusBadRequest, "REASON_REQUIRED", "必须写明理由", "A reason must be given")
	WrongApplicantType  = define(codes.InvalidArgument, http.StatusBadRequest, "WRONG_APPLICANT_TYPE", "该事项不面向这类申请人", "The item is not open to this kind of applicant")
	MaterialMissing     = define(codes.InvalidArgument, http.StatusBadRequest, "MATERIAL_MISSING", "缺少必要的申请材料", "A required material is missing")
	MaterialDuplicate   = define(codes.InvalidArgument, http.StatusBadRequest, "MATERIAL_DUPLICATE", "申请材料重复", "A material is given twice")
	TooManyMaterials    = define(codes.InvalidArgument, http.StatusBadRequest, "TOO_MANY_MATERIALS", "申请材料过多", "There are too many materials")
	MaterialUnknown     = define(codes.InvalidArgument, http.StatusBadRequest, "MATERIAL_UNKNOWN", "该事项没有这项申请材料", "The item has no such material")
	FormTooLarge        = define(codes.InvalidArgument, http.StatusBadRequest, "FORM_TOO_LARGE", "表单内容过多或层级过深", "The form has too many values or too many levels")
	FormInvalid         = define(codes.InvalidArgument, http.StatusBadRequest, "FORM_INVALID", "表单填写不正确", "The form is not filled in correctly")
	IdentityUnknown     = define(codes.PermissionDenied, http.StatusForbidden, "IDENTITY_UNKNOWN", "登录账号没有实名身份信息", "The account carries no identity number")
	MandateUnknown      = define(codes.PermissionDenied, http.StatusForbidden, "MANDATE_UNKNOWN", "没有给您的这份委托", "There is no such mandate for you")
	MandateMismatch     = define(codes.PermissionDenied, http.StatusForbidden, "MANDATE_MISMATCH", "委托人不是该申请人", "The mandate was not given by this applicant")
	MandateItem         = define(codes.PermissionDenied, http.StatusForbidden, "MANDATE_ITEM", "委托不包括该事项", "The mandate is not for this item")
	MandateNotYet       = define(codes.PermissionDenied, http.StatusForbidden, "MANDATE_NOT_YET", "委托尚未生效", "The mandate does not hold yet")
	MandateExpired      = define(codes.PermissionDenied, http.StatusForbidden, "MANDATE_EXPIRED", "委托已经到期", "The mandate has expired")
	MandateRevoked      = define(codes.PermissionDenied, http.StatusForbidden, "MANDATE_REVOKED", "委托已被撤销", "The mandate was revoked")
	MandateToOneself    = define(codes.InvalidArgument, http.StatusBadRequest, "MANDATE_TO_ONESELF", "不能委托自己", "Nobody gives a mandate to oneself")
	MandatePeriod       = define(codes.InvalidArgument, http.StatusBadRequest, "MANDATE_PERIOD", "委托期限应当在将来结束，且不超过五年", "A mandate ends in the future and within five years")
	MandateLimit        = define(codes.ResourceExhausted, http.StatusTooManyRequests, "MANDATE_LIMIT", "有效的委托过多", "Too many mandates hold already")
	ConsentRequired     = define(codes.InvalidArgument, http.StatusBadRequest, "CONSENT_REQUIRED", "代为申办须经申请人同意", "Filing for somebody needs that person's consent")
	SupplementRunning   = define(codes.FailedPrecondition, http.StatusConflict, "SUPPLEMENT_RUNNING", "补正期限未满，截止日期为 {due_date}", "The time to supplement runs until {due_date}")
	ExtensionLimit      = define(codes.InvalidArgument, http.StatusBadRequest, "EXTENSION_LIMIT", "只能延长一次，且不超过 {max} 个工作日", "The limit may be extended once, by {max} working days at the most")
	CaseClaimed         = define(codes.FailedPrecondition, http.StatusConflict, "CASE_CLAIMED", "办件已由 {assignee} 认领", "The case is claimed by {assignee}")
	CaseDuplicate       = define(codes.AlreadyExists, http.StatusConflict, "CASE_DUPLICATE", "一分钟内已提交过相同的申请（{case}）；确需再办一件的，请确认后重新提交", "The same application was filed less than a minute ago ({case}); confirm to file it once more")
	RevisionTakes       = define(codes.FailedPrecondition, http.StatusConflict, "REVISION_TAKES", "新版本对申请人不利，办件保留原版本", "The newer revision would leave the applicant worse off; the case keeps its own")
	DocumentNotDue      = define(codes.FailedPrecondition, http.StatusConflict, "DOCUMENT_NOT_DUE", "办件没有这份文书", "The case has no such document")
	DepartmentUnknown   = define(codes.InvalidArgument, http.StatusBadRequest, "DEPARTMENT_UNKNOWN", "本大厅没有办理事项的该部门", "No such department handles items in this hall")
	StepNotYours        = define(codes.PermissionDenied, http.StatusForbidden, "STEP_NOT_YOURS", "该环节由其他岗位或者部门办理", "Another post or department takes this step")
	GapNotAllowed       = define(codes.InvalidArgument, http.StatusBadRequest, "GAP_NOT_ALLOWED", "该材料不能容缺受理", "The item does not let this material come later")
	PromiseNotAllowed   = define(codes.InvalidArgument, http.StatusBadRequest, "PROMISE_NOT_ALLOWED", "该材料不适用告知承诺", "No promise may stand for this material")
	FeeOnFree           = define(codes.InvalidArgument, http.StatusBadRequest, "FEE_ON_FREE", "该事项不收费", "The item is free of charge")
	SamePersonForbidden = define(codes.PermissionDenied, http.StatusForbidden, "SAME_PERSON_FORBIDDEN", "申请与批准不能是同一人", "The same person may not ask and approve")
)

// Counters.
var (
	SlotNotOffered     = define(codes.FailedPrecondition, http.StatusConflict, "SLOT_NOT_OFFERED", "该时段不能预约", "That time cannot be booked")
	SlotFull           = define(codes.ResourceExhausted, http.StatusConflict, "SLOT_FULL", "该时段已约满", "That time is fully booked")
	TooManyBookings    = define(codes.ResourceExhausted, http.StatusConflict, "TOO_MANY_BOOKINGS", "未使用的预约最多 {max} 个", "Only {max} appointments can be open at once")
	AppointmentClosed  = define(codes.FailedPrecondition, http.StatusConflict, "APPOINTMENT_CLOSED", "预约已取消、已使用或已过期", "The appointment was given back, used or missed")
	AppointmentTooSoon = define(codes.FailedPrecondition, http.StatusConflict, "APPOINTMENT_TOO_SOON", "请在预约当天取号", "A ticket is drawn on the day of the appointment")
	AlreadyWaiting     = define(codes.FailedPrecondition, http.StatusConflict, "ALREADY_WAITING", "您在该大厅已经取号，正在等候", "You already wait in this centre")
	NobodyWaits        = define(codes.FailedPrecondition, http.StatusConflict, "NOBODY_WAITS", "没有等候的人", "Nobody waits")
	WindowUnknown      = define(codes.InvalidArgument, http.StatusBadRequest, "WINDOW_UNKNOWN", "没有这个窗口", "There is no such window")
	TicketWrongState   = define(codes.FailedPrecondition, http.StatusConflict, "TICKET_WRONG_STATE", "该号当前状态不允许此操作", "The ticket is not in a state that allows this")
	CodeInvalid        = define(codes.InvalidArgument, http.StatusBadRequest, "CODE_INVALID", "取件码不存在或已失效", "The code does not exist or no longer holds")
)

// Rows of other systems (数据交换).
var (
	RowTableUnknown  = define(codes.InvalidArgument, http.StatusBadRequest, "ROW_TABLE_UNKNOWN", "没有这张交换表", "There is no such exchange table")
	RowColumnUnknown = define(codes.InvalidArgument, http.StatusBadRequest, "ROW_COLUMN_UNKNOWN", "交换表没有这一列", "The exchange table has no such column")
	RowTooLong       = define(codes.InvalidArgument, http.StatusBadRequest, "ROW_TOO_LONG", "内容超过该列的长度", "The value is longer than the column")
	RowBadFormat     = define(codes.InvalidArgument, http.StatusBadRequest, "ROW_BAD_FORMAT", "内容不符合该列的格式", "The value is not of the column's form")
	RowBadCode       = define(codes.InvalidArgument, http.StatusBadRequest, "ROW_BAD_CODE", "代码不在该列的代码表内", "The code is not in the column's list")
	RowChanged       = define(codes.InvalidArgument, http.StatusBadRequest, "ROW_CHANGED", "同一版本的记录内容已改变，更正应提高版本号", "The row differs from the one sent with the same version; a correction needs a higher one")
	RowForeign       = define(codes.PermissionDenied, http.StatusForbidden, "ROW_FOREIGN", "该数据来源不能报送这个部门的办件", "The source may not send cases of this department")
	RowDivisionWrong = define(codes.InvalidArgument, http.StatusBadRequest, "ROW_DIVISION_WRONG", "行政区划不属于本大厅", "The division does not belong to the hall")
	RowItemOther     = define(codes.InvalidArgument, http.StatusBadRequest, "ROW_ITEM_OTHER", "事项编码与该办件的申办记录不同", "The item is not the one that the case was applied for")
	CaseOfSource     = define(codes.FailedPrecondition, http.StatusConflict, "CASE_OF_SOURCE", "该办件由其他系统办理，只能由该系统报送变化", "The case is handled in another system, which alone can tell of changes")
)

// Files.
var (
	FileEmpty           = define(codes.InvalidArgument, http.StatusBadRequest, "FILE_EMPTY", "文件是空的", "The file is empty")
	FileTooLarge        = define(codes.ResourceExhausted, http.StatusRequestEntityTooLarge, "FILE_TOO_LARGE", "文件过大，最多 {max} 字节", "The file is too large; {max} bytes at the most")
	FileTypeRefused     = define(codes.InvalidArgument, http.StatusUnsupportedMediaType, "FILE_TYPE_REFUSED", "不接收这种文件", "This kind of file is not taken")
	FileTypeMismatch    = define(codes.InvalidArgument, http.StatusUnsupportedMediaType, "FILE_TYPE_MISMATCH", "文件内容与名称或所称类型不符，实际为 {is}", "The file is not what its name or type says; it is {is}")
	FileBroken          = define(codes.InvalidArgument, http.StatusBadRequest, "FILE_BROKEN", "文件已损坏，无法识别", "The file is broken and cannot be read")
	FileEncrypted       = define(codes.InvalidArgument, http.StatusBadRequest, "FILE_ENCRYPTED", "文件有密码，请去掉密码后重新上传", "The file is locked by a password; remove it and send the file again")
	FileInfected        = define(codes.InvalidArgument, http.StatusUnprocessableEntity, "FILE_INFECTED", "文件含有病毒", "The file is infected")
	FileUnpacksTooLarge = define(codes.ResourceExhausted, http.StatusRequestEntityTooLarge, "FILE_UNPACKS_TOO_LARGE", "文件解压后过大", "The file is too large when unpacked")
	ImageTooLarge       = define(codes.ResourceExhausted, http.StatusRequestEntityTooLarge, "IMAGE_TOO_LARGE", "图片像素过多", "The picture has too many pixels")
	FileHashMismatch    = define(codes.FailedPrecondition, http.StatusConflict, "FILE_HASH_MISMATCH", "收到的文件与所称摘要不符，请重新上传", "What arrived is not the file whose hash was named; send it again")
	FileDamaged         = define(codes.DataLoss, http.StatusInternalServerError, "FILE_DAMAGED", "保存的文件已损坏，请联系窗口", "The stored file is damaged; please tell the window")
	UploadIncomplete    = define(codes.FailedPrecondition, http.StatusConflict, "UPLOAD_INCOMPLETE", "文件还没有传完，已收到 {offset} 字节", "The file has not arrived in full; {offset} bytes have")
	UploadOffset        = define(codes.FailedPrecondition, http.StatusConflict, "UPLOAD_OFFSET", "续传位置不对，应从 {offset} 字节开始", "The upload goes on at byte {offset}")
	UploadEnded         = define(codes.FailedPrecondition, http.StatusConflict, "UPLOAD_ENDED", "上传已经结束", "The upload has ended")
	UploadQuota         = define(codes.ResourceExhausted, http.StatusTooManyRequests, "UPLOAD_QUOTA", "您保存的文件或正在进行的上传过多", "You keep too many files, or too many uploads are under way")
	LinkRefused         = define(codes.PermissionDenied, http.StatusForbidden, "LINK_REFUSED", "链接无效或已过期，请重新获取", "The link is not valid or has expired; ask for a new one")
	MaterialNotFound    = define(codes.InvalidArgument, http.StatusBadRequest, "MATERIAL_NOT_FOUND", "您没有保存这份材料", "You keep no such material")
	MaterialExpired     = define(codes.FailedPrecondition, http.StatusConflict, "MATERIAL_EXPIRED", "材料已于 {valid_until} 失效", "The material was valid until {valid_until}")
	MaterialUnverified  = define(codes.FailedPrecondition, http.StatusConflict, "MATERIAL_UNVERIFIED", "“{title}”须先核验原件才能受理", "The original of {title} must be seen before the case is accepted")
	MaterialInUse       = define(codes.FailedPrecondition, http.StatusConflict, "MATERIAL_IN_USE", "材料正在办件中使用，不能删除", "A case uses the material; it cannot be deleted")
	MaterialTrusted     = define(codes.FailedPrecondition, http.StatusConflict, "MATERIAL_TRUSTED", "材料已经核验或由部门签发", "The material has been checked already, or was issued by an agency")
)

// Reviews.
var (
	ReviewNotDue       = define(codes.FailedPrecondition, http.StatusConflict, "REVIEW_NOT_DUE", "还不能评价该办件", "The case cannot be reviewed yet")
	ReviewExists       = define(codes.FailedPrecondition, http.StatusConflict, "REVIEW_EXISTS", "该办件已经评价过", "The case has been reviewed already")
	ReviewTagInvalid   = define(codes.InvalidArgument, http.StatusBadRequest, "REVIEW_TAG_INVALID", "评价标签与星级不符", "The tag does not belong to this number of stars")
	ReviewNotApplicant = define(codes.PermissionDenied, http.StatusForbidden, "REVIEW_NOT_APPLICANT", "只有申请人可以评价", "Only the applicant may review")
)

// Supervision.
var (
	CardRevoked     = define(codes.FailedPrecondition, http.StatusConflict, "CARD_REVOKED", "该监察牌已撤销", "The card has been revoked")
	CardWrongState  = define(codes.FailedPrecondition, http.StatusConflict, "CARD_WRONG_STATE", "监察牌当前为“{state}”，不能进行此操作", "The card is in state {state}, which does not allow this")
	WallTooSlow     = define(codes.ResourceExhausted, http.StatusTooManyRequests, "WALL_TOO_SLOW", "接收过慢，已断开，请凭最后的位置继续", "The reader is too slow and was cut off; go on from the last position")
	BadRule         = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_RULE", "监察规则不正确：{detail}", "The supervision rule is not valid: {detail}")
	RuleSetApproved = define(codes.FailedPrecondition, http.StatusConflict, "RULE_SET_APPROVED", "该规则已经批准，不能再改", "The rule set has been approved and does not change any more")
	RuleSetNotAhead = define(codes.InvalidArgument, http.StatusBadRequest, "RULE_SET_NOT_AHEAD", "规则的启用日期必须在今天之后", "A rule set can only hold from a day that lies ahead")
	AppealExists    = define(codes.FailedPrecondition, http.StatusConflict, "APPEAL_EXISTS", "该监察牌已经申诉过", "The card has been appealed against already")
	AppealLate      = define(codes.FailedPrecondition, http.StatusConflict, "APPEAL_LATE", "申诉期限已于 {due} 届满", "Appeals against the card were due by {due}")
	AppealNone      = define(codes.FailedPrecondition, http.StatusConflict, "APPEAL_NONE", "该监察牌没有待处理的申诉", "There is no appeal to decide")
	OrderWrongState = define(codes.FailedPrecondition, http.StatusConflict, "ORDER_WRONG_STATE", "督办单当前为“{state}”，不能进行此操作", "The order is in state {state}, which does not allow this")
	OrderNotAhead   = define(codes.InvalidArgument, http.StatusBadRequest, "ORDER_NOT_AHEAD", "反馈期限必须在今天之后", "The day to feed back must lie ahead")
)

// Performance scores.
var (
	ScoreFormulaApproved = define(codes.FailedPrecondition, http.StatusConflict, "SCORE_FORMULA_APPROVED", "该测评办法已经批准，不能再改", "The formula has been approved and does not change any more")
	ScoreFormulaNotAhead = define(codes.InvalidArgument, http.StatusBadRequest, "SCORE_FORMULA_NOT_AHEAD", "测评办法只能从今后某月的1日起启用", "A formula can only hold from the first day of a month that lies ahead")
	BadFormula           = define(codes.InvalidArgument, http.StatusBadRequest, "BAD_FORMULA", "测评办法不正确：{detail}", "The formula is not valid: {detail}")
	ScoreFrozen          = define(codes.FailedPrecondition, http.StatusConflict, "SCORE_FROZEN", "该月测评已经冻结", "The month's score is frozen")
	ScoreNotFrozen       = define(codes.FailedPrecondition, http.StatusConflict, "SCORE_NOT_FROZEN", "该月测评尚未冻结", "The month's score is not frozen yet")
	ScoreEntryUnknown    = define(codes.InvalidArgument, http.StatusBadRequest, "SCORE_ENTRY_UNKNOWN", "该测评没有这项得分或扣分", "The score has no such entry or part")
	ScoreAppealExists    = define(codes.FailedPrecondition, http.StatusConflict, "SCORE_APPEAL_EXISTS", "该项已经申诉过", "The entry has been appealed against already")
	ScoreAppealLate      = define(codes.FailedPrecondition, http.StatusConflict, "SCORE_APPEAL_LATE", "测评申诉期限已于 {due} 届满", "Appeals against the score were due by {due}")
	ScoreAppealNone      = define(codes.FailedPrecondition, http.StatusConflict, "SCORE_APPEAL_NONE", "该项没有待处理的申诉", "There is no appeal against the entry to decide")
)

// Feeds between services and halls.
var (
	EventPoisoned = define(codes.FailedPrecondition, http.StatusConflict, "EVENT_POISONED", "事件无法处理，已搁置", "The event cannot be applied and has been parked")
	FeedGap       = define(codes.FailedPrecondition, http.StatusConflict, "FEED_GAP", "事件序列有缺口", "The feed has a gap")
)

use wasmtime::component::Type;
use wasmtime::component::types::ComponentFunc;

/// Longer texts of types are cut here.
const LONGEST: usize = 300;

/// A function's type in the words of WIT.
pub fn signature(function: &ComponentFunc) -> String {
    let params: Vec<String> = function.params().map(|(_, ty)| text(&ty, 0)).collect();
    let results: Vec<String> = function.results().map(|ty| text(&ty, 0)).collect();
    let mut whole = format!("({})", params.join(", "));
    if !results.is_empty() {
        whole += &format!(" -> {}", results.join(", "));
    }
    if let Some((at, _)) = whole.char_indices().nth(LONGEST) {
        whole.truncate(at);
        whole.push('…');
    }
    whole
}

fn optional(ty: Option<Type>, depth: u32) -> String {
    ty.map_or_else(|| "_".to_owned(), |ty| text(&ty, depth))
}

fn text(ty: &Type, depth: u32) -> String {
    // What lies deeper is cut anyway, and a type can name itself very often.
    if depth > 6 {
        return "…".to_owned();
    }
    let depth = depth + 1;
    let list = |items: Vec<String>| items.join(", ");
    match ty {
        Type::Bool => "bool".into(),
        Type::S8 => "s8".into(),
        Type::U8 => "u8".into(),
        Type::S16 => "s16".into(),
        Type::U16 => "u16".into(),
        Type::S32 => "s32".into(),
        Type::U32 => "u32".into(),
        Type::S64 => "s64".into(),
        Type::U64 => "u64".into(),
        Type::Float32 => "f32".into(),
        Type::Float64 => "f64".into(),
        Type::Char => "char".into(),
        Type::String => "string".into(),
        Type::List(of) => format!("list<{}>", text(&of.ty(), depth)),
        Type::Option(of) => format!("option<{}>", text(&of.ty(), depth)),
        Type::Record(record) => format!(
            "record{{{}}}",
            list(
                record
                    .fields()
                    .take(20)
                    .map(|field| format!("{}: {}", field.name, text(&field.ty, depth)))
                    .collect()
            )
        ),
        Type::Tuple(tuple) => format!(
            "tuple<{}>",
            list(tuple.types().take(20).map(|ty| text(&ty, depth)).collect())
        ),
        Type::Variant(variant) => format!(
            "variant{{{}}}",
            list(
                variant
                    .cases()
                    .take(20)
                    .map(|case| format!("{}({})", case.name, optional(case.ty, depth)))
                    .collect()
            )
        ),
        Type::Enum(cases) => format!(
            "enum{{{}}}",
            list(cases.names().take(20).map(ToOwned::to_owned).collect())
        ),
        Type::Flags(flags) => format!(
            "flags{{{}}}",
            list(flags.names().take(20).map(ToOwned::to_owned).collect())
        ),
        Type::Result(result) => match (result.ok(), result.err()) {
            (None, None) => "result".into(),
            (ok, err) => format!("result<{}, {}>", optional(ok, depth), optional(err, depth)),
        },
        Type::Own(_) => "own<resource>".into(),
        Type::Borrow(_) => "borrow<resource>".into(),
        _ => "…".into(),
    }
}

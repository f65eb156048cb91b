//! Lists for people: columns under each other.

use serde_json::Value;

/// Rows with these fields, under their names. What is absent is a dash.
pub(super) fn table(rows: &[Value], fields: &[&str]) -> String {
    let heads = || fields.iter().map(|field| field.replace('_', " ").to_uppercase());
    let cells = rows.iter().map(|row| fields.iter().map(|field| cell(&row[field])).collect());
    let lines: Vec<Vec<String>> = std::iter::once(heads().collect()).chain(cells).collect();
    let width =
        |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..fields.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let rows = [json!({"name": "a", "size_bytes": 10}), json!({"name": "longer"})];
        let text = table(&rows, &["name", "size_bytes"]);
        assert_eq!(text, "NAME    SIZE BYTES\na       10\nlonger  -\n");
    }
}

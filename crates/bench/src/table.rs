//! Markdown tables.

/// A Markdown table that is also readable in a terminal. The first column is left-aligned, the others right-aligned.
pub fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let line = |row: &[String; COLUMNS]| {
        let cells = row.iter().enumerate().map(|(column, cell)| match column {
            0 => format!(" {cell:<0$} |", width(column)),
            _ => format!(" {cell:>0$} |", width(column)),
        });
        format!("|{}\n", cells.collect::<String>())
    };
    let rule = (0..COLUMNS).map(|column| match column {
        0 => format!("-{:-<1$}-|", "", width(column)),
        _ => format!("-{:->1$}:|", "", width(column)),
    });
    let rule = format!("|{}\n", rule.collect::<String>());
    line(&rows[0]) + &rule + &rows[1..].iter().map(line).collect::<String>()
}

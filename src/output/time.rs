//! Times of day, for people and logs: UTC, so that two machines agree.

/// `2026-11-22 13:05:07 UTC`, from seconds since 1970. Years 1970 to 9999.
pub fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The Gregorian date of a day since 1970. Counted from March on, so that the leap day ends a year.
fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let from_march_0 = days + 719_468;
    let (era, day) = (
        from_march_0 / DAYS_OF_400_YEARS,
        from_march_0 % DAYS_OF_400_YEARS,
    );
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    match month {
        0..10 => (era * 400 + year, month + 3, of_month),
        _ => (era * 400 + year + 1, month - 9, of_month),
    }
}

#[cfg(test)]
mod tests {
    use super::utc;

    /// By `date -u -d @SECONDS`.
    #[test]
    fn it_agrees_with_date() {
        assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(951_782_399), "2000-02-28 23:59:59 UTC");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(utc(1_795_353_907), "2026-11-22 13:25:07 UTC");
        assert_eq!(utc(4_107_542_400), "2100-03-01 00:00:00 UTC");
    }
}

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

/// Seconds since 1970 of a Gregorian date and a time of day, both in UTC; none when there is no such moment.
pub fn since_1970([year, month, day]: [u64; 3], [hour, minute, second]: [u64; 3]) -> Option<u64> {
    let is_date =
        (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    // A leap second is the next one.
    let is_time = hour < 24 && minute < 60 && second <= 60;
    if !is_date || !is_time {
        return None;
    }
    // As above: March begins a year.
    let (year, from_march) = match month {
        3.. => (year, month.checked_sub(3)?),
        _ => (year.checked_sub(1)?, month + 9),
    };
    let of_year = (153 * from_march + 2) / 5 + day.checked_sub(1)?;
    let from_march_0 = year * 365 + year / 4 - year / 100 + year / 400 + of_year;
    let days = from_march_0.checked_sub(719_468)?;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// `40 s`, `3 min`, `11 h`, `5 days`: so much that the number is small.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::{since_1970, span, utc};

    /// Every moment that is written can be read, over all leap days.
    #[test]
    fn what_is_written_is_read() {
        for days in (0..4_200_000_000 / 86_400).step_by(13) {
            let seconds = days * 86_400 + 45_907;
            let text = utc(seconds);
            let numbers: Vec<u64> = text
                .split(['-', ' ', ':'])
                .filter_map(|it| it.parse().ok())
                .collect();
            let [date, time] = [0, 3].map(|from| [0, 1, 2].map(|at| numbers[from + at]));
            assert_eq!(since_1970(date, time), Some(seconds), "{text}");
        }
        for none in [
            [1969, 12, 31],
            [2026, 0, 1],
            [2026, 13, 1],
            [2026, 1, 0],
            [u64::MAX, 1, 1],
        ] {
            assert_eq!(since_1970(none, [0, 0, 0]), None, "{none:?}");
        }
    }

    #[test]
    fn spans_change_their_unit_where_the_number_would_be_large() {
        let spans = [0, 119, 120, 7199, 7200, 172_799, 172_800].map(span);
        assert_eq!(
            spans,
            ["0 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 days"]
        );
    }

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

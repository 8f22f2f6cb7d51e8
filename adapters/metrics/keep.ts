/** Days that rows are kept unless somebody chooses: a week of every weekday to compare with, and a day to copy from it. */
export const RAW_KEEP_DAYS = 8;
/** Days that their minutes are kept: the same season of last year, with five weeks to plan it. */
export const ROLLUP_KEEP_DAYS = 400;

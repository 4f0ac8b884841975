divert(-1)
define(`SITE_LIMITS', `yes')
define(`SITE_MEGABYTES', `30')
divert(0)dnl
ifdef(`confMAX_HOP', `', `define(`confMAX_HOP', eval(5 * 5 + 5))')dnl

dnl # shared by the hub and its stand-in
define(`confMAX_HOP', `35')dnl
define(`confQUEUE_LA', `12')dnl

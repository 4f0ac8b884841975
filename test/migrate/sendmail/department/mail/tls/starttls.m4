ifelse(eval(sm_version_math >= 527104), `1', `dnl
ifelse(sm_enable_tls, `yes', `dnl
define(`confCACERT', `_CERTS_/ca.pem')dnl
define(`confSERVER_CERT', `_CERTS_/hub.pem')dnl
define(`confSERVER_KEY', `_CERTS_/hub.key')dnl
')')dnl

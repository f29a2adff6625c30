{{- define "bindeledd.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "bindeledd.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "bindeledd.labels" -}}
{{ include "bindeledd.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* The folder that holds routes/, mappings/ and policies/. */}}
{{- define "bindeledd.home" -}}
{{- if .Values.home.claim -}}
/var/lib/bindeledd-home
{{- else if .Values.home.chart -}}
/etc/bindeledd/home
{{- else -}}
{{ .Values.home.image }}
{{- end -}}
{{- end }}

{{/* The hub's application.yaml. What the chart itself sets wins over .Values.settings. */}}
{{- define "bindeledd.settings" -}}
{{- $text := toYaml .Values.settings -}}
{{- if regexMatch "(?i)(password|passphrase|jaas|credential|client-?secret|private-?key)[a-z-]*: *[^ \\n{]" $text -}}
{{- fail "settings: a password or key belongs in a Secret; name it under secretSettings" -}}
{{- end -}}
{{- $own := dict
    "server" (dict "port" 8080)
    "bindeledd" (dict
      "origin" (required "origin: give the audit log a name, for example hub.example.no/1" .Values.origin)
      "secrets" "/var/lib/bindeledd"
      "published" (dict "folder" (ternary "/var/lib/bindeledd-log" "/var/lib/bindeledd/log" (ne .Values.published.claim ""))))
    "spring" (dict "datasource" (dict
      "url" (required "database.url: give the database's JDBC address" .Values.database.url)))
    "kafka" (dict
      "brokers" (required "kafka.brokers: give host:port of the brokers" .Values.kafka.brokers)) -}}
{{- if .Values.mllp.enabled -}}
{{- $_ := set $own "hub" (dict "mllp" (dict "port" .Values.mllp.port)) -}}
{{- end -}}
{{- if .Values.kafka.existingSecret -}}
{{- $_ := set $own "camel" (dict "component" (dict "kafka" (dict
    "security-protocol" .Values.kafka.securityProtocol
    "sasl-mechanism" .Values.kafka.saslMechanism))) -}}
{{- end -}}
{{- toYaml (mergeOverwrite (deepCopy .Values.settings) $own) -}}
{{- end }}

{{/* bindeledd.tokens.key-id -> BINDELEDD_TOKENS_KEYID, as Spring Boot reads it. */}}
{{- define "bindeledd.variable" -}}
{{- . | replace "." "_" | replace "-" "" | upper -}}
{{- end }}

{{/* A file's key in a ConfigMap, where a slash is not allowed. */}}
{{- define "bindeledd.key" -}}
{{- . | replace "/" "__" -}}
{{- end }}

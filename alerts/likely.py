"""The likely cause, as a template that a symptom's message carries.

Alertmanager's templates see the alerts of their own group alone. Prometheus sees them all, and
fills this in anew at each evaluation: a page names each cause of the same job that fires by then.
"""

from __future__ import annotations

from typing import Final

from instrumentation.contract import causes

_FIRING: Final = (
    f"count by (alertname, {', '.join(causes.SUBJECTS)}) "
    "(ALERTS{alertstate='firing',kind='cause',job=%q})"
)
_SUBJECT: Final = "".join(
    f"{{{{ with $cause.Labels.{label} }}}} {{{{ . }}}}{{{{ end }}}}" for label in causes.SUBJECTS
)
_CULPRIT: Final = (
    f'{{{{ with printf "{causes.worst_culprit("job=%q")}" $labels.job | query }}}}'
    "{{ with . | first }} at {{ .Labels.culprit }}{{ end }}{{ end }}"
)

CAUSE: Final = (
    f'{{{{ range $nth, $cause := printf "{_FIRING}" $labels.job | query '
    '| sortByLabel "alertname" }}'
    "{{ if $nth }}, {{ end }}{{ $cause.Labels.alertname }}"
    f"{_SUBJECT}"
    f'{{{{ if eq $cause.Labels.alertname "{causes.BLOCKED}" }}}}{_CULPRIT}{{{{ end }}}}'
    "{{ else }}none of the known causes fires{{ end }}"
)

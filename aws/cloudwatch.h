/* CloudWatch alarms, by JSON 1.0. Errors as aws_send, and NO_MEMORY. Thread rule: as the session. */
#pragma once
#include "aws/call.h"
#include "base/json.h"

/* What of an alarm PutMetricAlarm takes back; the rest of DescribeAlarms is state. */
#define CLOUDWATCH_ALARM_MEMBERS 21
extern const char *const cloudwatch_alarm_members[CLOUDWATCH_ALARM_MEMBERS];
/* Metric alarms with a dimension TableName=table (in the alarm or one of its metrics). Those that Application
 * Auto Scaling made for itself (TargetTracking-...) are left out: they come back with its policies. The
 * caller's array. */
int cloudwatch_alarms_of_table(struct aws_session *session, const char *table, json_t **ret_alarms,
                               struct err *err);
/* `alarm`: a row as describe gave it, changed as wanted; what only AWS sets is left out. Repeatable. */
int cloudwatch_put_alarm(struct aws_session *session, const json_t *alarm, struct err *err);

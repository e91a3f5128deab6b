#include <qosmark/dscp.h>
#include <qosmark/error.h>
#include <string.h>

#include "model/dscp.h"

const char *qosmark_dscp_name(int dscp)
{
    return dscp >= 0 && dscp < DSCP_COUNT ? dscp_name((dscp_t)dscp) : "";
}

int qosmark_dscp_parse(const char *text)
{
    dscp_t dscp;
    int number;
    return dscp_parse(slice_make(text, strlen(text)), &dscp, &number) ? dscp : QOSMARK_E_USAGE;
}

int qosmark_dscp_of_tos(int tos)
{
    return tos_dscp((tos_t)(tos & 0xff));
}

int qosmark_dscp_to_tos(int dscp)
{
    return dscp >= 0 && dscp < DSCP_COUNT ? dscp_tos((dscp_t)dscp) : QOSMARK_E_USAGE;
}

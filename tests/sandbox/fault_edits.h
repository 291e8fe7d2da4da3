/* What a fault changes in an answer that was processed normally. */
#ifndef SBX_FAULT_EDITS_H
#define SBX_FAULT_EDITS_H

#include "call.h"

void sbx_fault_edit_answer(const struct sbx_fault *fault, struct sbx_call *call);

#endif

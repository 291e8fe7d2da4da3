/* What the journal and the log say about an exchange. Control requests are in neither. */
#ifndef SBX_EXCHANGE_JOURNAL_H
#define SBX_EXCHANGE_JOURNAL_H

#include "exchange.h"

void sbx_exchange_note_arrival(struct sbx_exchange *exchange);
void sbx_exchange_note_progress(struct sbx_exchange *exchange);
void sbx_exchange_note_end(struct sbx_exchange *exchange, int status);
void sbx_exchange_note_sent(struct sbx_exchange *exchange, bool sent);

#endif

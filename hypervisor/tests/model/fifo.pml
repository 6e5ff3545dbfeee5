/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FIFO event queue of one vCPU and one priority: two ports, a sender for each on a CPU of
 * its own (evtchn/evtchn_fifo.c), and a guest that takes events out (as <xen/event_channel.h>
 * says). What must hold: when nothing moves any more, no event is pending (none was lost); no event is
 * taken that was not sent since it was taken last (none came twice); and what is taken out of the queue was in it.
 *
 * BUG=1..6 seeds a mistake that the model must find.
 */
#ifndef BUG
#define BUG 0
#endif
#ifndef SENDS
#define SENDS 2
#endif

bit pending[3];
bit linked[3];
byte link[3];
byte head;
bit ready;
bit upcall;
byte tail;
bit lock;
bit is_sent[3]; /* not of the protocol: sent since it was taken last */

proctype sender(byte port)
{
	byte n = 0;
	bit is_mine, is_linked, was_ready;

	do
	:: n < SENDS ->
		n++;
#if BUG != 3
		atomic { is_sent[port] = 1; pending[port] = 1 };
#endif
		if
		:: linked[port] -> goto done
		:: else
		fi;
		atomic { lock == 0 -> lock = 1 };
#if BUG == 5
		pending[port] = 1; /* "to be sure" */
#endif
#if BUG == 6
		is_mine = 1; /* was looked at without the lock */
		linked[port] = 1;
#else
		atomic { is_mine = !linked[port]; linked[port] = 1 };
#endif
		if
		:: !is_mine -> lock = 0; goto done
		:: else
		fi;
#if BUG != 1
		if
		:: tail == port -> tail = 0
		:: else
		fi;
#endif
		is_linked = 0;
		if
		:: tail != 0 ->
#if BUG == 2
			atomic { link[tail] = port; is_linked = 1 }
#else
			atomic {
				if
				:: linked[tail] -> link[tail] = port; is_linked = 1
				:: else
				fi
			}
#endif
		:: else
		fi;
#if BUG == 4
		if
		:: !is_linked ->
			atomic { was_ready = ready; ready = 1 };
			if
			:: !was_ready -> upcall = 1
			:: else
			fi;
			head = port
		:: else
		fi;
		tail = port;
#else
		if
		:: !is_linked -> head = port
		:: else
		fi;
		tail = port;
		if
		:: !is_linked ->
			atomic { was_ready = ready; ready = 1 };
			if
			:: !was_ready -> upcall = 1
			:: else
			fi
		:: else
		fi;
#endif
		lock = 0;
done:
#if BUG == 3
		atomic { is_sent[port] = 1; pending[port] = 1 };
#endif
		skip
	:: else -> break
	od
}

/* The guest's own copy of the head goes on where it stopped; 0: look into the control block. */
active proctype guest()
{
	byte own_head = 0, port;
	bit has_work;

end:	do
	:: upcall ->
		upcall = 0;
		atomic { has_work = ready; ready = 0 };
		do
		:: has_work ->
			port = own_head;
			if
			:: port == 0 -> port = head
			:: else
			fi;
			/* takes it out: the link is read and LINKED cleared in one exchange */
			atomic {
				assert(port != 0 && linked[port]);
				own_head = link[port];
				link[port] = 0;
				linked[port] = 0
			};
			if
			:: own_head == 0 -> has_work = 0
			:: else
			fi;
			/* handled: the event's effect is that it is not pending any more */
			atomic {
				if
				:: pending[port] -> assert(is_sent[port]); pending[port] = 0; is_sent[port] = 0
				:: else
				fi
			};
			atomic { has_work = has_work || ready; ready = 0 }
		:: else -> break
		od
	od
}

init {
	atomic { run sender(1); run sender(2); run sender(1) };
	timeout -> assert(!pending[1] && !pending[2])
}

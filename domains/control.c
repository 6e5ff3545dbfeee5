/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/control.h"

#include <string.h>

#define WORKERS_MAX 4

GQuark control_error_quark(void)
{
	return g_quark_from_static_string("mullion-control");
}

struct waiter {
	control_done_t done;
	void *data;
};

/* What the control knows of a domain that is not stopped, or failed. */
struct run {
	struct control *control;
	char *name;
	struct config config; /* as it was when it started */
	enum control_state state;
	bool is_disposable;
	bool is_clean_stop;  /* asked for, and the guest went by itself */
	bool is_kill_wanted; /* while it starts */
	uint32_t id;
	guint stop_timer;
	char *last_error;
	GArray *waiters; /* struct waiter: of the start or stop under way */
};

struct control {
	struct registry *registry;
	struct volume_store *store;
	GMutex store_mutex; /* the store serves one thread at a time */
	const struct machine_ops *ops;
	struct control_settings settings;
	control_changed_t changed;
	void *data;
	GHashTable *runs; /* name to struct run */
	GThreadPool *workers;
	GMainContext *context;
	unsigned int jobs_under_way;
	unsigned int next_disposable;
};

/* --- jobs: work() in a thread, then finish() in the main context --- */

struct job {
	struct control *control;
	struct run *run; /* stays until finish(): a run under way is never removed */
	bool (*work)(struct job *job, GError **error);
	void (*finish)(struct job *job);
	bool is_ok;
	GError *error;
	uint32_t id;
	bool is_commit;
};

static gboolean job_finish(gpointer data)
{
	struct job *job = data;

	job->control->jobs_under_way--;
	job->finish(job);
	g_clear_error(&job->error);
	g_free(job);
	return G_SOURCE_REMOVE;
}

static void job_work(gpointer data, gpointer context)
{
	struct job *job = data;
	GSource *source = g_idle_source_new();

	job->is_ok = job->work(job, &job->error);
	/* Not g_main_context_invoke(): that runs it in this thread while no loop runs. */
	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, job_finish, job, NULL);
	g_source_attach(source, job->control->context);
	g_source_unref(source);
}

static struct job *job_new(struct run *run, bool (*work)(struct job *job, GError **error),
			   void (*finish)(struct job *job))
{
	struct job *job = g_new0(struct job, 1);

	job->control = run->control;
	job->run = run;
	job->work = work;
	job->finish = finish;
	job->id = run->id;
	return job;
}

static void job_push(struct job *job)
{
	job->control->jobs_under_way++;
	g_thread_pool_push(job->control->workers, job, NULL);
}

/* --- runs --- */

static void run_free(gpointer data)
{
	struct run *run = data;

	if (run->stop_timer) {
		g_source_remove(run->stop_timer);
	}
	g_array_unref(run->waiters);
	g_free(run->last_error);
	g_free(run->name);
	g_free(run);
}

static struct run *run_new(struct control *c, const char *name, const struct config *config)
{
	struct run *run = g_new0(struct run, 1);

	run->control = c;
	run->name = g_strdup(name);
	run->config = *config;
	run->waiters = g_array_new(FALSE, FALSE, sizeof(struct waiter));
	run->is_disposable = volume_is_disposable(name);
	g_hash_table_insert(c->runs, run->name, run);
	return run;
}

static void describe(const struct run *run, struct control_status *out)
{
	*out = (struct control_status){
		.name = run->name,
		.state = run->state,
		.id = run->id,
		.is_disposable = run->is_disposable,
		.config = &run->config,
		.last_error = run->last_error,
	};
}

static void enter(struct run *run, enum control_state state)
{
	struct control_status status;

	run->state = state;
	describe(run, &status);
	run->control->changed(&status, run->control->data);
}

/* Answers everyone who waits; they may ask for something new at once. */
static void answer(struct run *run, const GError *error)
{
	GArray *waiters = run->waiters;
	g_autofree char *name = g_strdup(run->name);
	guint i;

	run->waiters = g_array_new(FALSE, FALSE, sizeof(struct waiter));
	for (i = 0; i < waiters->len; i++) {
		const struct waiter *w = &g_array_index(waiters, struct waiter, i);

		if (w->done) {
			w->done(name, error, w->data);
		}
	}
	g_array_unref(waiters);
}

static void add_waiter(struct run *run, control_done_t done, void *data)
{
	struct waiter w = {done, data};

	g_array_append_val(run->waiters, w);
}

/* The end of a run. A failed one stays in the table, to say why; a disposable leaves nothing. */
static void end_run(struct run *run, const GError *error)
{
	struct control *c = run->control;

	run->id = 0;
	g_free(run->last_error);
	run->last_error = error ? g_strdup(error->message) : NULL;
	enter(run, CONTROL_STOPPED);
	answer(run, error);
	if (run->state == CONTROL_STOPPED && (run->is_disposable || !run->last_error)) {
		g_hash_table_remove(c->runs, run->name);
	}
}

static void refuse(const char *name, control_done_t done, void *data, enum control_error code,
		   const char *why)
{
	g_autoptr(GError) error = g_error_new(CONTROL_ERROR, (int)code, "%s %s", name, why);

	if (done) {
		done(name, error, data);
	}
}

/* --- stop --- */

static bool work_end(struct job *job, GError **error)
{
	struct control *c = job->control;
	bool is_ok;

	if (!c->ops->destroy(job->id, error)) {
		return false;
	}
	g_mutex_lock(&c->store_mutex);
	is_ok = volume_end(c->store, job->run->name, job->is_commit, error);
	g_mutex_unlock(&c->store_mutex);
	return is_ok;
}

static void finish_end(struct job *job)
{
	end_run(job->run, job->error);
}

/* The machine has stopped, or shall now: take it down for good. */
static void begin_end(struct run *run, bool is_commit)
{
	struct job *job = job_new(run, work_end, finish_end);

	if (run->stop_timer) {
		g_source_remove(run->stop_timer);
		run->stop_timer = 0;
	}
	job->is_commit = is_commit;
	run->id = 0; /* later reports of its death find nobody */
	enter(run, CONTROL_STOPPING);
	job_push(job);
}

static gboolean stop_took_too_long(gpointer data)
{
	struct run *run = data;

	run->stop_timer = 0;
	g_warning("%s did not stop in time and is destroyed", run->name);
	begin_end(run, false);
	return G_SOURCE_REMOVE;
}

static bool work_shutdown(struct job *job, GError **error)
{
	return job->control->ops->shutdown(job->id, error);
}

/* A guest that cannot be asked is destroyed when its time is over, or dies by itself. */
static void finish_shutdown(struct job *job)
{
	if (!job->is_ok) {
		g_message("%s cannot be asked to stop: %s", job->run->name, job->error->message);
	}
}

/* Whoever waits for the start is told now; the machine goes as soon as it is there. */
static void kill_starting(struct run *run)
{
	g_autoptr(GError) error = g_error_new(CONTROL_ERROR, CONTROL_ERROR_STATE,
					      "%s was ended while it started", run->name);

	if (!run->is_kill_wanted) {
		run->is_kill_wanted = true;
		answer(run, error);
	}
}

void control_stop(struct control *c, const char *name, bool is_forced, control_done_t done,
		  void *data)
{
	struct run *run = g_hash_table_lookup(c->runs, name);

	if (!run || run->state == CONTROL_STOPPED) {
		refuse(name, done, data, CONTROL_ERROR_STATE, "is not running");
		return;
	}
	if (run->state == CONTROL_STARTING && !is_forced) {
		refuse(name, done, data, CONTROL_ERROR_STATE,
		       "is starting: wait until it runs, then stop it, or kill it");
		return;
	}
	if (run->state == CONTROL_STARTING) {
		kill_starting(run);
	}
	add_waiter(run, done, data);
	if (run->id && is_forced) {
		begin_end(run, false);
	} else if (run->state == CONTROL_RUNNING) {
		run->is_clean_stop = true;
		enter(run, CONTROL_STOPPING);
		run->stop_timer = g_timeout_add_seconds(c->settings.stop_timeout_seconds,
							stop_took_too_long, run);
		job_push(job_new(run, work_shutdown, finish_shutdown));
	}
}

static struct run *find_by_id(struct control *c, uint32_t id)
{
	GHashTableIter all;
	gpointer run;

	g_hash_table_iter_init(&all, c->runs);
	while (g_hash_table_iter_next(&all, NULL, &run)) {
		if (((struct run *)run)->id == id) {
			return run;
		}
	}
	return NULL;
}

void control_machine_died(struct control *c, uint32_t id, bool is_crash)
{
	struct run *run = id ? find_by_id(c, id) : NULL;

	if (!run) {
		return;
	}
	if (is_crash) {
		g_warning("%s crashed", run->name);
	}
	begin_end(run, run->is_clean_stop && !is_crash && run->config.kind == CONFIG_TEMPLATE);
}

/* --- start --- */

static bool begin_volumes(struct job *job, GError **error)
{
	const struct config *config = &job->run->config;
	struct volume_start start = {
		.name = job->run->name,
		.template_name = config->template_name[0] ? config->template_name : NULL,
		.home_of = job->run->is_disposable ? config->name : NULL,
		.volatile_bytes = job->control->settings.volatile_bytes,
	};
	bool is_ok;

	if (job->run->is_disposable && config->kind == CONFIG_TEMPLATE) {
		start.template_name = config->name;
	}
	g_mutex_lock(&job->control->store_mutex);
	is_ok = volume_begin(job->control->store, &start, error);
	g_mutex_unlock(&job->control->store_mutex);
	return is_ok;
}

static bool work_start(struct job *job, GError **error)
{
	struct control *c = job->control;
	const struct run *run = job->run;
	const char *home = run->is_disposable ? "private-run.img" : "private.img";
	g_autofree char *root_image =
		g_strdup_printf("%s/%s/root-run.img", c->store->path, run->name);
	g_autofree char *home_image = g_strdup_printf("%s/%s/%s", c->store->path, run->name, home);
	g_autofree char *volatile_image =
		g_strdup_printf("%s/%s/volatile-run.img", c->store->path, run->name);
	g_autofree char *command_line =
		g_strjoin(" ", c->settings.command_line,
			  run->is_disposable ? c->settings.disposable_options : NULL, NULL);
	gint64 began = g_get_monotonic_time(), volumes_done;
	struct machine_spec spec = {
		.name = run->name,
		.kernel = c->settings.kernel,
		.initrd = c->settings.initrd,
		.command_line = command_line,
		.vcpu_count = run->config.vcpu_count,
		.memory_mib = run->config.memory_mib,
		.memory_max_mib = run->config.memory_max_mib,
		.disk_count = 3,
		.disks = {{root_image, "xvda", true},
			  {home_image, "xvdb", true},
			  {volatile_image, "xvdc", true}},
	};

	if (!begin_volumes(job, error)) {
		return false;
	}
	volumes_done = g_get_monotonic_time();
	if (!c->ops->start(&spec, &job->id, error)) {
		g_mutex_lock(&c->store_mutex);
		(void)volume_end(c->store, run->name, false, NULL);
		g_mutex_unlock(&c->store_mutex);
		return false;
	}
	g_message("%s runs as %u: volumes took %" G_GINT64_FORMAT
		  " ms, the machine %" G_GINT64_FORMAT " ms",
		  run->name, job->id, (volumes_done - began) / 1000,
		  (g_get_monotonic_time() - volumes_done) / 1000);
	return true;
}

static void finish_start(struct job *job)
{
	struct run *run = job->run;

	if (!job->is_ok) {
		end_run(run, run->is_kill_wanted ? NULL : job->error);
		return;
	}
	run->id = job->id;
	if (run->is_kill_wanted) {
		begin_end(run, false);
		return;
	}
	enter(run, CONTROL_RUNNING);
	answer(run, NULL);
}

/* The first domain that name needs and that does not run, or NULL. */
static const char *missing_need(struct control *c, const char *name)
{
	g_autofree const char **needs = registry_needs(c->registry, name);
	size_t i;

	for (i = 0; needs[i]; i++) {
		const struct run *run = g_hash_table_lookup(c->runs, needs[i]);

		if (!run || run->state != CONTROL_RUNNING) {
			return needs[i];
		}
	}
	return NULL;
}

static void start_next(struct run *run);

static void need_is_started(const char *name, const GError *error, void *data)
{
	struct run *run = data;

	if (error) {
		g_autoptr(GError) reason = g_error_copy(error);

		g_prefix_error(&reason, "%s needs %s: ", run->name, name);
		end_run(run, reason);
		return;
	}
	start_next(run);
}

/* One step nearer: start a need, or the domain itself. A chain of needs has 16 links at most. */
static void start_next(struct run *run)
{
	const char *need = missing_need(run->control, run->config.name);

	if (run->is_kill_wanted) {
		end_run(run, NULL);
	} else if (need) {
		control_start(run->control, need, need_is_started, run);
	} else {
		job_push(job_new(run, work_start, finish_start));
	}
}

static void begin_run(struct control *c, const char *name, const struct config *config,
		      control_done_t done, void *data)
{
	struct run *run = run_new(c, name, config);

	add_waiter(run, done, data);
	enter(run, CONTROL_STARTING);
	start_next(run);
}

void control_start(struct control *c, const char *name, control_done_t done, void *data)
{
	const struct config *config = registry_find(c->registry, name);
	struct run *run = g_hash_table_lookup(c->runs, name);

	if (!config) {
		refuse(name, done, data, CONTROL_ERROR_UNKNOWN, "is not a domain of this machine");
		return;
	}
	if (run && run->state == CONTROL_STOPPED) { /* it failed before */
		g_hash_table_remove(c->runs, name);
		run = NULL;
	}
	if (!run) {
		begin_run(c, config->name, config, done, data);
	} else if (run->state == CONTROL_RUNNING) {
		if (done) {
			done(name, NULL, data);
		}
	} else if (run->state == CONTROL_STARTING) {
		add_waiter(run, done, data);
	} else {
		refuse(name, done, data, CONTROL_ERROR_STATE,
		       "is stopping: start it when it has stopped");
	}
}

static unsigned int count_disposables(const struct control *c, const char *base)
{
	GHashTableIter all;
	gpointer item;
	unsigned int count = 0;

	g_hash_table_iter_init(&all, c->runs);
	while (g_hash_table_iter_next(&all, NULL, &item)) {
		const struct run *run = item;

		count += run->is_disposable && strcmp(run->config.name, base) == 0;
	}
	return count;
}

void control_start_disposable(struct control *c, const char *base, control_done_t done, void *data)
{
	const struct config *config = registry_find(c->registry, base);
	g_autofree char *name = NULL;

	if (!config) {
		refuse(base, done, data, CONTROL_ERROR_UNKNOWN, "is not a domain of this machine");
		return;
	}
	if (!config->may_spawn_disposables) {
		refuse(base, done, data, CONTROL_ERROR_STATE,
		       "does not allow disposables: mullion domain set disposable.allowed=true");
		return;
	}
	if (count_disposables(c, base) >= config->disposable_limit) {
		refuse(base, done, data, CONTROL_ERROR_LIMIT,
		       "has as many disposables as its limit allows: close one first");
		return;
	}
	do { /* a number is not used again while anything of its old bearer may be around */
		g_free(name);
		name = g_strdup_printf("disp%u", ++c->next_disposable % 10000);
	} while (g_hash_table_contains(c->runs, name));
	begin_run(c, name, config, done, data);
}

/* --- the whole --- */

static bool is_running(const char *name, void *context)
{
	struct control *c = context;

	return g_hash_table_contains(c->runs, name);
}

/* One whose origin is forgotten cannot be kept to its limits: it ends. */
static void take_over_disposable(struct control *c, const char *name, uint32_t id)
{
	g_autofree char *path =
		c->settings.disposables_folder
			? g_build_filename(c->settings.disposables_folder, name, NULL)
			: NULL;
	g_autofree char *base = NULL;
	const struct config *config = NULL;
	struct run *run;

	if (path && g_file_get_contents(path, &base, NULL, NULL)) {
		config = registry_find(c->registry, g_strchomp(base));
	}
	if (!config) {
		(void)c->ops->destroy(id, NULL);
		return;
	}
	run = run_new(c, name, config);
	run->id = id;
	run->state = CONTROL_RUNNING;
}

static bool take_over(struct control *c, GError **error)
{
	struct machine_name *list;
	size_t count, i;

	if (!c->ops->list(&list, &count, error)) {
		return false;
	}
	for (i = 0; i < count; i++) {
		const struct config *config = registry_find(c->registry, list[i].name);

		if (config) {
			struct run *run = run_new(c, list[i].name, config);

			run->id = list[i].id;
			run->state = CONTROL_RUNNING;
		} else if (volume_is_disposable(list[i].name)) {
			take_over_disposable(c, list[i].name, list[i].id);
		}
	}
	machine_list_free(list, count);
	return volume_recover(c->store, is_running, c, error);
}

struct control *control_new(struct registry *registry, struct volume_store *store,
			    const struct machine_ops *ops, const struct control_settings *settings,
			    control_changed_t changed, void *data, GError **error)
{
	struct control *c = g_new0(struct control, 1);

	c->registry = registry;
	c->store = store;
	g_mutex_init(&c->store_mutex);
	c->ops = ops;
	c->settings = *settings;
	c->changed = changed;
	c->data = data;
	c->context = g_main_context_ref_thread_default();
	c->runs = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, run_free);
	c->workers = g_thread_pool_new(job_work, NULL, WORKERS_MAX, FALSE, NULL);
	if (!take_over(c, error)) {
		control_free(c);
		return NULL;
	}
	return c;
}

void control_free(struct control *c)
{
	while (c->jobs_under_way) {
		g_main_context_iteration(c->context, TRUE);
	}
	g_thread_pool_free(c->workers, FALSE, TRUE);
	g_hash_table_unref(c->runs);
	g_main_context_unref(c->context);
	g_mutex_clear(&c->store_mutex);
	g_free(c);
}

bool control_status(const struct control *c, const char *name, struct control_status *out)
{
	const struct run *run = g_hash_table_lookup(c->runs, name);
	const struct config *config = registry_find(c->registry, name);

	if (run) {
		describe(run, out);
	} else if (config) {
		*out = (struct control_status){.name = config->name, .config = config};
	}
	return run || config;
}

static int compare_status(const void *a, const void *b)
{
	return strcmp(((const struct control_status *)a)->name,
		      ((const struct control_status *)b)->name);
}

struct control_status *control_list(const struct control *c, size_t *count)
{
	size_t described = registry_count(c->registry), i;
	struct control_status *list =
		g_new0(struct control_status, described + g_hash_table_size(c->runs) + 1);
	GHashTableIter all;
	gpointer run;

	*count = 0;
	for (i = 0; i < described; i++) {
		control_status(c, registry_at(c->registry, i)->name, &list[(*count)++]);
	}
	g_hash_table_iter_init(&all, c->runs);
	while (g_hash_table_iter_next(&all, NULL, &run)) {
		if (!registry_find(c->registry, ((struct run *)run)->name)) {
			describe(run, &list[(*count)++]);
		}
	}
	qsort(list, *count, sizeof(*list), compare_status);
	return list;
}

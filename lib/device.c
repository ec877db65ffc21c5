/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "context.h"
#include "procfs.h"
#include "topology.h"

/* What is asked for, and of what. */
struct query {
	const struct mig_topology *topology;
	struct mig_context *context;
	const char *text; /**< as the user gave it: "netdev:eth0" */
	const char *name; /**< the part behind the colon */
};

/* "-1" is the kernel's word for none. */
static int parse_node(struct mig_text text, int *ret_node)
{
	uint64_t node;

	mig_text_trim(&text);
	if (mig_text_take_number(&text, 10, &node) < 0 || text.length ||
	    node >= MIG_MAX_NODES)
		return -ENOENT;
	*ret_node = (int)node;
	return 0;
}

/*
 * A network interface or a disk has no node of its own; the bus device that it
 * belongs to has one. @path is a link to the device's directory, so ".." behind
 * it climbs from there.
 */
static int read_node(const struct query *query, const char *path, int *ret_node)
{
	/* Deeper than any device lies below its bus. */
	static const char climb[] = "../../../../../../../../../../../../";

	for (size_t i = 0; i < sizeof(climb); i += strlen("../")) {
		char buffer[32];
		ssize_t length = mig_procfs_read(query->context, buffer, sizeof(buffer),
						 "%s/%.*snuma_node", path, (int)i, climb);
		struct mig_text text = { .at = buffer };

		if (length == -ENOENT)
			continue;
		if (length < 0)
			return (int)length;
		text.length = (size_t)length;
		if (!parse_node(text, ret_node))
			return 0;
	}
	return -ENOENT;
}

/* A name of sysfs: one that leads nowhere else. */
static bool is_plain_name(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

static int find_in_class(const struct query *query, const char *class_name,
			 const char *name, int *ret_node)
{
	char path[MIG_PATH_SIZE];
	int length;

	if (!is_plain_name(name))
		return -EINVAL;
	length = snprintf(path, sizeof(path), "sys/class/%s/%s", class_name, name);
	if (length < 0 || (size_t)length >= sizeof(path))
		return -ENOENT;
	return read_node(query, path, ret_node);
}

static int find_netdev(const struct query *query, int *ret_node)
{
	return find_in_class(query, "net", query->name, ret_node);
}

static int find_block(const struct query *query, int *ret_node)
{
	return find_in_class(query, "block", query->name, ret_node);
}

/* [SEGMENT:]BUS:DEVICE[.FUNCTION], in hexadecimal digits. */
static int find_pci(const struct query *query, int *ret_node)
{
	struct mig_text text = { .at = query->name, .length = strlen(query->name) };
	uint64_t parts[3], function = 0;
	char path[MIG_PATH_SIZE];
	size_t n = 0;

	do {
		if (n == 3 || mig_text_take_number(&text, 16, &parts[n]) < 0)
			return -EINVAL;
		n++;
	} while (mig_text_take_char(&text, ':'));
	if (mig_text_take_char(&text, '.') &&
	    mig_text_take_number(&text, 16, &function) < 0)
		return -EINVAL;
	if (n < 2 || text.length)
		return -EINVAL;
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%04jx:%02jx:%02jx.%jx",
		 n == 3 ? (uintmax_t)parts[0] : 0, (uintmax_t)parts[n - 2],
		 (uintmax_t)parts[n - 1], (uintmax_t)function);
	return read_node(query, path, ret_node);
}

/* The device of a device file, or that which holds the file system of another. */
static int find_file(const struct query *query, int *ret_node)
{
	char path[MIG_PATH_SIZE];
	struct stat status;
	bool is_device;
	dev_t device;

	if (!*query->name)
		return -EINVAL;
	if (stat(query->name, &status) < 0)
		return -errno;
	is_device = S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode);
	device = is_device ? status.st_rdev : status.st_dev;
	snprintf(path, sizeof(path), "sys/dev/%s/%u:%u",
		 S_ISCHR(status.st_mode) ? "char" : "block", major(device),
		 minor(device));
	return read_node(query, path, ret_node);
}

static bool is_same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	if (!a || !b || a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return !memcmp(&((const struct sockaddr_in *)(const void *)a)->sin_addr,
			       &((const struct sockaddr_in *)(const void *)b)->sin_addr,
			       sizeof(struct in_addr));
	return a->sa_family == AF_INET6 &&
	       !memcmp(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
		       &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr,
		       sizeof(struct in6_addr));
}

/* The interface that has @address. Return: 0, -ENOENT. */
static int find_interface(const struct sockaddr *address, char *ret_name)
{
	struct ifaddrs *interfaces;
	int r = -ENOENT;

	if (getifaddrs(&interfaces) < 0)
		return -errno;
	for (const struct ifaddrs *i = interfaces; i && r; i = i->ifa_next) {
		if (!is_same_address(i->ifa_addr, address))
			continue;
		snprintf(ret_name, IF_NAMESIZE, "%s", i->ifa_name);
		r = 0;
	}
	freeifaddrs(interfaces);
	return r;
}

/*
 * The interface that leads to @address: a socket that is connected, without any
 * packet being sent, takes that interface's address for its own.
 */
static int find_route(const struct addrinfo *address, char *ret_name)
{
	CLEANUP_CLOSE int fd = socket(address->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage own;
	struct sockaddr *own_address = (struct sockaddr *)&own;
	socklen_t length = sizeof(own);

	if (fd < 0)
		return -errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0)
		return -ENOENT;
	if (getsockname(fd, own_address, &length) < 0)
		return -errno;
	/* One of this machine's own addresses: no device is on the way. */
	if (is_same_address(own_address, address->ai_addr))
		return -ENOENT;
	return find_interface(own_address, ret_name);
}

/*
 * libnuma knows the way that the kernel would take to an address. What it cannot
 * answer it says on standard error, which only a program may prevent and not a
 * library (numa_warn is a weak symbol), so it is asked only where the interface
 * has a node, and one that libnuma takes: it refuses numbers that are not below
 * the count of nodes that the caller may use.
 */
static int find_ip(const struct query *query, int *ret_node)
{
	const struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST };
	const struct mig_nodeset *allowed =
		mig_topology_get_nodes(query->topology, MIG_NODES_ALLOWED);
	struct mig_nodeset nodes = { 0 };
	struct addrinfo *address;
	char name[IF_NAMESIZE];
	int r, node;

	if (getaddrinfo(query->name, NULL, &numeric, &address))
		return -EINVAL;
	r = find_route(address, name);
	freeaddrinfo(address);
	if (r < 0)
		return r;
	r = find_in_class(query, "net", name, &node);
	if (r < 0)
		return r;
	if ((unsigned int)node >= mig_nodeset_count(allowed))
		return -ENOENT;
	r = query->context->calls->device_nodes(query->text, nodes.bits,
						MIG_MAX_NODES / 64);
	if (r < 0)
		return r;
	*ret_node = mig_nodeset_next(&nodes, MIG_NO_NODE);
	return *ret_node == MIG_NO_NODE ? -ENOENT : 0;
}

static const struct handler {
	const char *prefix;
	int (*find)(const struct query *query, int *ret_node);
} handlers[] = {
	{ "netdev:", find_netdev }, { "pci:", find_pci }, { "block:", find_block },
	{ "file:", find_file },     { "ip:", find_ip },
};

static const struct handler *find_handler(struct mig_text text)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
		struct mig_text rest = text;

		if (mig_text_take_string(&rest, handlers[i].prefix))
			return &handlers[i];
	}
	return NULL;
}

bool mig_device_is_named(struct mig_text text)
{
	return find_handler(text) != NULL;
}

int mig_device_find_nodes(const struct mig_topology *topology, struct mig_text text,
			  struct mig_nodeset *ret_set)
{
	const struct handler *handler = find_handler(text);
	struct query query = {
		.topology = topology,
		.context = mig_topology_get_context(topology),
	};
	CLEANUP_FREE char *copy = NULL;
	int r, node;

	if (!handler || memchr(text.at, '\0', text.length))
		return -EINVAL;
	if (!query.context->live)
		return -EXDEV;
	copy = strndup(text.at, text.length);
	if (!copy)
		return -ENOMEM;
	query.text = copy;
	query.name = copy + strlen(handler->prefix);
	r = handler->find(&query, &node);
	if (r < 0)
		return r;
	if (!mig_nodeset_has(mig_topology_get_nodes(topology, MIG_NODES_ONLINE), node))
		return -ENODEV;
	*ret_set = (struct mig_nodeset){ 0 };
	mig_nodeset_add(ret_set, node);
	return 0;
}
